import { StoreError } from '../../src/errors.ts'
import { PATIENCE, patient, poolOf } from './patience.ts'

/**
 * What the provider needs of a client: a promise pool or a promise connection of `mysql2` is one, and so is anything that
 * takes `?` for values and answers `[rows, …]` or, for a statement that writes, `[{ affectedRows }, …]`.
 */
export interface MysqlClient {
  query(sql: string, values: Parameter[]): Promise<readonly [unknown, ...unknown[]]>
}

/** A pool or a connection of `mysql2` with callbacks: its `promise()` is used. */
export interface MysqlNonPromiseClient {
  promise(): MysqlClient
}

/** What is bound to a statement: texts travel as bytes, see {@link bytes}. */
export type Parameter = Buffer | number

/** A pool of the provider's own. */
interface OwnPool extends MysqlClient {
  end(): Promise<void>
}

export interface Source {
  connect(): Promise<MysqlClient>
  close(): Promise<void>
}

/** The user's own client: never closed. */
export function sourceOfClient(client: MysqlClient | MysqlNonPromiseClient): Source {
  const used = usable(client)
  return { connect: async () => used, close: async () => {} }
}

function usable(client: MysqlClient | MysqlNonPromiseClient): MysqlClient {
  const pool = poolOf(client)
  if (pool) return patient(pool)
  return 'promise' in client ? client.promise() : client
}

/** A pool that is made at the first use, and ended by `close()`. */
export function sourceOfUrl(url: string): Source {
  let pool: Promise<OwnPool> | undefined
  let used: MysqlClient | undefined
  let closed: Promise<void> | undefined
  return {
    async connect() {
      if (closed) throw new StoreError('the mysql provider is closed')
      pool ??= openPool(url).catch((error) => {
        pool = undefined
        throw error
      })
      used ??= usable(await pool)
      return used
    },
    close() {
      closed ??= pool
        ? pool.then(
            (opened) => opened.end(),
            () => {},
          )
        : Promise.resolve()
      return closed
    },
  }
}

async function openPool(url: string): Promise<OwnPool> {
  // An option that is given beside the URL would win over the URL's own.
  const connectTimeout = /[?&]connectTimeout=/.test(url) ? undefined : PATIENCE
  return (await loadDriver()).createPool({ uri: url, ...(connectTimeout && { connectTimeout }) })
}

async function loadDriver(): Promise<{ createPool(options: { uri: string; connectTimeout?: number }): OwnPool }> {
  try {
    return await import('mysql2/promise')
  } catch (cause) {
    throw new StoreError('a mysql:// or mariadb:// URL needs the package mysql2: run `npm install mysql2`', { cause })
  }
}

/**
 * A text as it is bound to a statement, where `CONVERT(? USING utf8mb4)` turns it back. Statements go out by `query`, which puts
 * values into the text itself: bytes become `X'…'`, which needs no escaping, so a server in `NO_BACKSLASH_ESCAPES` mode can't
 * be talked into reading a value as SQL, and the connection's character set doesn't matter. Prepared statements would do
 * as well, but cost a second round trip on each new connection, and pin a connection in the pools of some clouds.
 */
export const bytes = (text: string): Buffer => Buffer.from(text)

/**
 * Sends a statement. `mysql2` puts the statement with all its values into an error: a failing batch of thousands of names would fill the
 * log of each of them with megabytes. The error keeps the statement without them.
 */
async function send(client: MysqlClient, sql: string, values: Parameter[]): Promise<unknown> {
  try {
    const [answer] = await client.query(sql, values)
    return answer
  } catch (error) {
    if (error instanceof Error && 'sql' in error) error.sql = sql
    throw error
  }
}

/** The rows of a SELECT, each as its values in the order of the columns: the client may answer with objects or arrays. */
export async function select(client: MysqlClient, sql: string, values: Parameter[] = []): Promise<unknown[][]> {
  const rows = await send(client, sql, values)
  if (!Array.isArray(rows)) throw new StoreError('the MySQL client did not answer a SELECT with rows')
  return rows.map((row) => Object.values(row))
}

const IN_TRANSACTION = 1

/**
 * How many rows a statement changed. `affectedRows` may count the matched or the changed rows, as the client's flags want: every
 * statement here changes the rows that it matches.
 *
 * @throws {StoreError} when the connection is inside a transaction: others don't see what it wrote, and it may be rolled back.
 */
export async function change(client: MysqlClient, sql: string, values: Parameter[] = []): Promise<number> {
  const result = await send(client, sql, values)
  const { affectedRows, serverStatus } = result as { affectedRows?: unknown; serverStatus?: unknown }
  if (typeof serverStatus === 'number' && serverStatus & IN_TRANSACTION) throw notOnItsOwn()
  return Number(affectedRows)
}

/** Locks decided inside somebody's transaction would be seen by nobody else until it ends. */
export const notOnItsOwn = (): StoreError =>
  new StoreError(
    'the MySQL connection is inside a transaction or has autocommit switched off, so no other node sees its locks: give ticklock a pool or a connection of its own',
  )
