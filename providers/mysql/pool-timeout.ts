import { StoreError } from '../../src/errors.ts'
import { type Around, Deadline } from './bounds.ts'
import type { MysqlClient, Parameter } from './driver.ts'

type Done<Result> = (error: unknown, result: Result) => void

/** A connection of a pool, as `mysql2` has it under its promises. */
interface PoolConnection {
  query(sql: string, values: Parameter[], done: Done<unknown>): unknown
  release(): void
  destroy(): void
}

/** A pool of `mysql2`, as far as it is needed to get rid of a connection. */
export interface MysqlPool {
  getConnection(done: Done<PoolConnection>): unknown
  /** Emits each connection that it makes. */
  on?(event: 'connection', listener: (connection: PoolConnection) => void): unknown
  off?(event: 'connection', listener: (connection: PoolConnection) => void): unknown
}

/** A pool whose connections answer with promises. */
interface PromisePool {
  getConnection(): Promise<MysqlClient & Pick<PoolConnection, 'release' | 'destroy'>>
}

/** How long after a statement's own bound its connection is given up, in ms: the server's error comes first if the server is there. */
const GRACE = 1_000

/** `--read-only` or a server that was demoted; a read-only transaction; a read-only server. Another connection may lead to the new primary. */
const READ_ONLY = new Set<unknown>([1290, 1792, 1836])

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
        settle(connection.query(sql, values), ([result]) => result, done),
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
 * A pool that gives up connections which are of no use. By itself `mysql2` waits for ever for the result of a server that was stopped or is cut off without
 * a word, each call takes another connection of the pool with it, and in the end there is none left. After a failover the connections to the old
 * server, which is read-only now, live on. Only the end of such a connection makes room for another.
 */
export class PoolWithTimeouts {
  readonly #pool: MysqlPool

  constructor(pool: MysqlPool) {
    this.#pool = pool
  }

  /** @param timeout for the connection and the result together, in ms */
  async query(sql: string, values: Parameter[], timeout: number, around?: Around): Promise<unknown> {
    const deadline = new Deadline(timeout)
    const first = await this.#connect(deadline.left())
    try {
      return await use(first, sql, values, deadline.left(), around)
    } catch (error) {
      if (!isReadOnly(error) || !this.#pool.on) throw error
    }
    return await this.#queryOnOthers(sql, values, deadline, around)
  }

  /** Discards all connections that the pool has to a read-only server, until one that it makes anew can write, or can't either. */
  async #queryOnOthers(sql: string, values: Parameter[], deadline: Deadline, around?: Around): Promise<unknown> {
    const made = new Set<PoolConnection>()
    const note = (connection: PoolConnection): void => void made.add(connection)
    this.#pool.on?.('connection', note)
    try {
      for (;;) {
        const connection = await this.#connect(deadline.left())
        try {
          return await use(connection, sql, values, deadline.left(), around)
        } catch (error) {
          if (!isReadOnly(error) || made.has(connection)) throw error
        }
      }
    } finally {
      this.#pool.off?.('connection', note)
    }
  }

  #connect(timeout: number): Promise<PoolConnection> {
    return new Promise((resolve, reject) => {
      let over = false
      const timer = setTimeout(() => {
        over = true
        reject(new StoreError(`mysql: no connection became free within ${Math.round(timeout)} ms`))
      }, timeout)
      this.#pool.getConnection((error, connection) => {
        clearTimeout(timer)
        if (over) return error ? undefined : connection.release()
        if (error) reject(error)
        else resolve(connection)
      })
    })
  }
}

class NoResult extends StoreError {}

const isReadOnly = (error: unknown): boolean => READ_ONLY.has((error as { errno?: unknown } | null)?.errno)

/** Sends a statement, and gives the connection back to its pool, or ends it when it is of no use. */
async function use(
  connection: PoolConnection,
  sql: string,
  values: Parameter[],
  timeout: number,
  around: Around | undefined,
): Promise<unknown> {
  try {
    const result = await send(connection, sql, values, timeout + GRACE, around)
    connection.release()
    return result
  } catch (error) {
    if (isReadOnly(error) || error instanceof NoResult) connection.destroy()
    else connection.release()
    throw error
  }
}

/** Sends the statements of `around` without waiting in between: the connection keeps them in order, and nothing of others comes between. */
function send(
  connection: PoolConnection,
  sql: string,
  values: Parameter[],
  timeout: number,
  around?: Around,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new NoResult(`mysql: the server did not answer within ${Math.round(timeout)} ms`)),
      timeout,
    )
    let failure: unknown
    const done = (error: unknown): void => {
      failure ??= error
    }
    const last = (error: unknown, result: unknown): void => {
      done(error)
      clearTimeout(timer)
      if (failure) reject(failure)
      else resolve(result)
    }
    if (!around) return connection.query(sql, values, last)
    let value: unknown
    connection.query(around.before, [], done)
    connection.query(sql, values, (error, result) => {
      done(error)
      value = result
    })
    return connection.query(around.after, [], (error) => last(error, value))
  })
}
