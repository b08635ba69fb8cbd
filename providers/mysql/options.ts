import { show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { checkKeys, checkOnlyOne } from '../../src/options.ts'
import { DEFAULT_TABLE, quoteTable } from '../../src/provider/sql.ts'
import { type Source, sourceOfClient, sourceOfUrl } from './client.ts'
import type { MysqlClient, MysqlNonPromiseClient } from './driver.ts'

/** Where the locks are: exactly one of `pool`, `connection` and `url`. */
export interface MysqlOptions {
  /**
   * Your own pool of `mysql2`, or any object with a matching `query`. The provider never closes it. A connection of a pool that doesn't
   * answer within 5 s is destroyed, which makes room in the pool for another.
   */
  readonly pool?: MysqlClient | MysqlNonPromiseClient | undefined
  /** Your own connection, outside of transactions and with autocommit on (the default). The provider never closes it. */
  readonly connection?: MysqlClient | MysqlNonPromiseClient | undefined
  /**
   * `mysql://user:password@host:3306/database` or `mariadb://…`. The provider makes a pool at the first use, with the
   * options of `mysql2` in the URL's query, and ends it with `close()`. A connection that doesn't respond within 5 s is
   * dropped and replaced.
   */
  readonly url?: string | undefined
  /**
   * The table's name: letters, digits and underscores, at most 63, with or without its database before a dot (MySQL wants the
   * connection to have one selected all the same). `'shedlock'`, or however that table is called, to share it with ShedLock.
   * @default 'ticklock'
   */
  readonly table?: string | undefined
}

/** A client, a URL, or {@link MysqlOptions}. */
export type MysqlInput = string | MysqlClient | MysqlNonPromiseClient | MysqlOptions

export interface Settings {
  readonly source: Source
  readonly table: string
}

const KNOWN: readonly string[] = ['pool', 'connection', 'url', 'table'] satisfies (keyof MysqlOptions)[]
const PLACES = ['pool', 'connection', 'url'] as const

/**
 * Reads what the user gave.
 *
 * @throws {InvalidOptionError} for an unknown, wrong or contradicting option.
 */
export function readInput(input: MysqlInput): Settings {
  const options = asOptions(input)
  checkKeys(options, KNOWN, 'mysql')
  checkOnlyOne(options, PLACES, 'mysql')
  const { table = DEFAULT_TABLE } = options
  quoteTable(table, '`')
  return { source: sourceOf(options), table }
}

function asOptions(input: MysqlInput): MysqlOptions {
  if (typeof input === 'string') return { url: input }
  if (isClient(input)) return { pool: input }
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input
  throw new InvalidOptionError(`mysql: expected a client, a URL or options, but got ${show(input)}`)
}

function sourceOf({ pool, connection, url }: MysqlOptions): Source {
  if (url !== undefined) return sourceOfUrl(checkedUrl(url))
  const client = pool ?? connection
  if (!isClient(client)) {
    throw new InvalidOptionError(
      `mysql: ${pool ? 'pool' : 'connection'} must be one of mysql2, or have a query method, but is ${show(client)}`,
    )
  }
  return sourceOfClient(client)
}

const isClient = (value: unknown): value is MysqlClient | MysqlNonPromiseClient =>
  typeof value === 'object' &&
  value !== null &&
  (['query', 'promise'] as const).some((method) => typeof (value as Record<string, unknown>)[method] === 'function')

/** The URL may have a password, so no message shows it. */
function checkedUrl(url: unknown): string {
  if (typeof url === 'string' && /^(mysql|mariadb):\/\/[^/]/i.test(url) && URL.canParse(url)) return url
  throw new InvalidOptionError('mysql: url must look like "mysql://user:password@host:3306/database" or "mariadb://…"')
}
