import { StoreError } from '../../src/errors.ts'
import type { MysqlClient, Parameter } from './client.ts'

type Done<Result> = (error: unknown, result: Result) => void

/** A connection of a pool, as `mysql2` has it under its promises. */
interface PoolConnection {
  query(sql: string, values: Parameter[], done: Done<unknown>): unknown
  release(): void
  destroy(): void
}

/** A pool of `mysql2`, as far as it is needed to get rid of a connection that has gone silent. */
export interface MysqlPool {
  getConnection(done: Done<PoolConnection>): unknown
}

/** A pool whose connections answer with promises. */
interface PromisePool {
  getConnection(): Promise<MysqlClient & Pick<PoolConnection, 'release' | 'destroy'>>
}

/** How long a connection and an answer are waited for, in ms: as long as the core does by default (`storeTimeout`). */
export const PATIENCE = 5_000

const isPool = (value: unknown): value is { readonly getConnection: unknown } =>
  typeof value === 'object' && value !== null && 'getConnection' in value && typeof value.getConnection === 'function'

/**
 * The pool behind a client, if there is one. That of `mysql2` with callbacks is preferred: for each promise `mysql2` captures a stack, which takes longer
 * than the rest of what the client does for a statement.
 */
export function poolOf(client: object): MysqlPool | undefined {
  const inner = 'pool' in client ? client.pool : client
  if (isPool(inner) && 'promise' in inner) return inner as MysqlPool
  return isPool(client) ? withCallbacks(client as PromisePool) : undefined
}

const withCallbacks = (pool: PromisePool): MysqlPool => ({
  getConnection(done) {
    const taken = pool.getConnection().then((connection) => ({
      query: (sql: string, values: Parameter[], done: Done<unknown>) =>
        settle(connection.query(sql, values), ([answer]) => answer, done),
      release: () => connection.release(),
      destroy: () => connection.destroy(),
    }))
    settle(taken, (connection) => connection, done)
  },
})

function settle<T, Result>(promise: Promise<T>, pick: (value: T) => Result, done: Done<Result>): void {
  promise.then(
    (value) => done(null, pick(value)),
    (error) => done(error, undefined as Result),
  )
}

/**
 * A pool that gives up connections which do not answer. By itself `mysql2` waits for ever for the answer of a server that was stopped or is cut off
 * without a word, each call takes another connection of the pool with it, and in the end there is none left. Its own time limit of a
 * query keeps such a connection, too: only its end makes room for another.
 */
export const patient = (pool: MysqlPool): MysqlClient => ({
  query: (sql, values) =>
    new Promise((resolve, reject) => {
      let used: PoolConnection | undefined
      let over = false
      const giveUp = (): void => {
        over = true
        used?.destroy()
        const what = used ? 'the server did not answer' : 'no connection became free'
        reject(new StoreError(`mysql: ${what} within ${PATIENCE} ms`))
      }
      const timer = setTimeout(giveUp, PATIENCE)
      pool.getConnection((error, connection) => {
        if (over) return error ? undefined : connection.release()
        if (error) {
          clearTimeout(timer)
          return reject(error)
        }
        used = connection
        timer.refresh()
        connection.query(sql, values, (error, answer) => {
          if (over) return
          clearTimeout(timer)
          connection.release()
          if (error) reject(error)
          else resolve([answer])
        })
      })
    }),
})
