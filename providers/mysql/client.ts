import { StoreError } from '../../src/errors.ts'
import { type Around, boundedRead, boundedWrite, DEFAULT_TIMEOUT, INSERT_WAIT_S, withSetting } from './bounds.ts'
import type { MysqlClient, MysqlNonPromiseClient, Parameter } from './driver.ts'
import { PoolWithTimeouts, poolOf } from './pool-timeout.ts'

/** Sends statements: the client that was given, as the provider uses it. */
export interface Session {
  /** `around` holds where one session is certain: on a connection, and on a pool that hands out its connections. */
  query(sql: string, values: Parameter[], timeout: number, around?: Around): Promise<unknown>
}

/** What a pool with promises emits, too: the connection with callbacks. */
interface OwnConnection {
  query(sql: string, done: () => void): unknown
}

/** A pool of the provider's own. */
interface OwnPool extends MysqlClient {
  on(event: 'connection', listener: (connection: object) => void): unknown
  end(): Promise<void>
}

export interface Source {
  connect(): Promise<Session>
  close(): Promise<void>
}

/** The user's own client: never closed. */
export function sourceOfClient(client: MysqlClient | MysqlNonPromiseClient): Source {
  const session = sessionOf(client)
  return { connect: async () => session, close: async () => {} }
}

function sessionOf(client: MysqlClient | MysqlNonPromiseClient): Session {
  const pool = poolOf(client)
  if (pool) return new PoolWithTimeouts(pool)
  keepErrorsOff(client)
  const { query } = bound('promise' in client ? client.promise() : client)
  if (!('beginTransaction' in client)) return { query: async (sql, values) => (await query(sql, values))[0] }
  return {
    async query(sql, values, _timeout, around) {
      if (!around) return (await query(sql, values))[0]
      // Sent without waiting in between: a connection keeps their order, and nothing else of its user comes between.
      const [, [result]] = await Promise.all([query(around.before, []), query(sql, values), query(around.after, [])])
      return result
    },
  }
}

const bound = (client: MysqlClient): MysqlClient => ({ query: (sql, values) => client.query(sql, values) })

/**
 * A connection that the server ends while nothing is asked emits `error`, which ends the process when nobody listens. The next call on it fails, and its
 * user hears of it by that.
 */
function keepErrorsOff(client: object): void {
  const emitter = client as Partial<NodeJS.EventEmitter>
  if (typeof emitter.on !== 'function' || emitter.listeners?.('error').includes(ignore)) return
  emitter.on('error', ignore)
}

function ignore(): void {}

const OWN_SETTINGS = `SET SESSION innodb_lock_wait_timeout = ${INSERT_WAIT_S}, lock_wait_timeout = ${DEFAULT_TIMEOUT / 1000}`

/** A pool that is made at the first use, and ended by `close()`. */
export function sourceOfUrl(url: string): Source {
  let pool: Promise<OwnPool> | undefined
  let session: Session | undefined
  let closed: Promise<void> | undefined
  return {
    async connect() {
      if (closed) throw new StoreError('the mysql provider is closed')
      pool ??= openPool(url).catch((error) => {
        pool = undefined
        throw error
      })
      session ??= sessionOfOwn(await pool)
      return session
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

/** The sessions are ours, so they get their settings once, and not around each statement that wants them. */
function sessionOfOwn(pool: OwnPool): Session {
  pool.on('connection', (connection) => (connection as OwnConnection).query(OWN_SETTINGS, ignore))
  const session = sessionOf(pool)
  return { query: (sql, values, timeout) => session.query(sql, values, timeout) }
}

async function openPool(url: string): Promise<OwnPool> {
  // An option that is given beside the URL would win over the URL's own.
  const connectTimeout = /[?&]connectTimeout=/.test(url) ? undefined : DEFAULT_TIMEOUT
  return (await loadDriver()).createPool({ uri: url, ...(connectTimeout && { connectTimeout }) })
}

interface Driver {
  createPool(options: { uri: string; connectTimeout?: number }): OwnPool
}

async function loadDriver(): Promise<Driver> {
  try {
    return await import('mysql2/promise')
  } catch (cause) {
    throw new StoreError('a mysql:// or mariadb:// URL needs the package mysql2: run `npm install mysql2`', { cause })
  }
}

/**
 * A string as it is bound to a statement, where `CONVERT(? USING utf8mb4)` turns it back. Statements go out by `query`, which puts
 * values into the text itself: bytes become `X'…'`, which needs no escaping, so a server in `NO_BACKSLASH_ESCAPES` mode can't
 * be talked into reading a value as SQL, and the connection's character set doesn't matter. Prepared statements would do
 * as well, but cost a second round trip on each new connection, and pin a connection in the pools of some clouds.
 */
export const bytes = (text: string): Buffer => Buffer.from(text)

/**
 * Sends a statement. `mysql2` puts the statement with all its values into an error: a failing batch of thousands of names would fill the
 * log of each of them with megabytes. The error keeps the statement without them.
 */
async function send(
  session: Session,
  sql: string,
  values: Parameter[],
  timeout: number,
  around?: Around,
): Promise<unknown> {
  if (timeout <= 0) throw new StoreError('mysql: the time of the call is over')
  try {
    return await session.query(sql, values, timeout, around)
  } catch (error) {
    if (error instanceof Error && 'sql' in error) error.sql = sql
    throw error
  }
}

/** The rows of a SELECT, each as its values in the order of the columns: the client may answer with objects or arrays. */
export async function select(
  session: Session,
  sql: string,
  values: Parameter[] = [],
  timeout = DEFAULT_TIMEOUT,
): Promise<unknown[][]> {
  const rows = await send(session, boundedRead(sql, timeout), values, timeout)
  if (!Array.isArray(rows)) throw new StoreError('the MySQL client did not answer a SELECT with rows')
  return rows.map((row) => Object.values(row))
}

const IN_TRANSACTION = 1

export interface ChangeOptions {
  /** How long the caller waits, in ms. */
  readonly timeout?: number
  /** Hints for MySQL. */
  readonly hints?: string
  /** @default none */
  readonly around?: Around | undefined
  /** How long the statement waits for a row that another transaction has locked, in seconds, in MariaDB. @default 0 */
  readonly rowWait?: number
}

/** An INSERT into MySQL waits for a row as long as the session says. In MariaDB each statement says it by itself. */
export const forInsert: Around = withSetting('innodb_lock_wait_timeout', INSERT_WAIT_S)

/** For writes that decide nothing, and that nodes do side by side: they wait for each other, a second at most. */
export const WAITING: ChangeOptions = { around: forInsert, rowWait: INSERT_WAIT_S }

/**
 * How many rows a statement changed. `affectedRows` may count the matched or the changed rows, as the client's flags want: every
 * statement here changes the rows that it matches.
 *
 * @throws {StoreError} when the connection is inside a transaction: others don't see what it wrote, and it may be rolled back.
 */
export async function change(
  session: Session,
  sql: string,
  values: Parameter[] = [],
  { timeout = DEFAULT_TIMEOUT, hints, around, rowWait }: ChangeOptions = {},
): Promise<number> {
  return changedBy(await send(session, boundedWrite(sql, timeout, hints, rowWait), values, timeout, around))
}

/** Runs a statement that makes or alters a table, which waits a bounded time for those who use it. */
export async function define(session: Session, sql: string): Promise<void> {
  const around = withSetting('lock_wait_timeout', DEFAULT_TIMEOUT / 1000)
  changedBy(await send(session, sql, [], DEFAULT_TIMEOUT, around))
}

function changedBy(result: unknown): number {
  const { affectedRows, serverStatus } = result as { affectedRows?: unknown; serverStatus?: unknown }
  if (typeof serverStatus === 'number' && serverStatus & IN_TRANSACTION) throw notOnItsOwn()
  return Number(affectedRows)
}

/** Locks decided inside somebody's transaction would be seen by nobody else until it ends. */
export const notOnItsOwn = (): StoreError =>
  new StoreError(
    'the MySQL connection is inside a transaction or has autocommit switched off, so no other node sees its locks: give ticklock a pool or a connection of its own',
  )
