import { StoreError } from '../../src/errors.ts'
import type { MysqlClient, Parameter } from './client.ts'

/** A pool of `mysql2`, as far as it is needed to get rid of a connection that has gone silent. */
export interface MysqlPool extends MysqlClient {
  getConnection(): Promise<MysqlClient & { release(): void; destroy(): void }>
}

/** How long a connection and an answer are waited for, in ms: as long as the core does by default (`storeTimeout`). */
export const PATIENCE = 5_000

export const isPool = (client: MysqlClient): client is MysqlPool =>
  'getConnection' in client && typeof client.getConnection === 'function'

/**
 * A pool that gives up connections which do not answer. By itself `mysql2` waits for ever for the answer of a server that was stopped or is cut off
 * without a word, each call takes another connection of the pool with it, and in the end there is none left. Its own time limit of a
 * query keeps such a connection, too: only its end makes room for another.
 */
export const patient = (pool: MysqlPool): MysqlClient => ({
  async query(sql: string, values: Parameter[]) {
    const wanted = pool.getConnection()
    const connection = await within(wanted, 'no connection became free', () => wanted.then(release, () => {}))
    let silent = false
    try {
      return await within(connection.query(sql, values), 'the server did not answer', () => {
        silent = true
        connection.destroy()
      })
    } finally {
      if (!silent) release(connection)
    }
  },
})

const release = (connection: { release(): void }): void => connection.release()

/** The answer; or calls `giveUp` and rejects when it has not come in time. */
async function within<T>(answer: Promise<T>, what: string, giveUp: () => unknown): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      giveUp()
      reject(new StoreError(`mysql: ${what} within ${PATIENCE} ms`))
    }, PATIENCE)
  })
  answer.catch(() => {}) // Nobody listens any more when it comes too late.
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
