import { show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { checkBoolean, checkKeys, checkOnlyOne } from '../../src/options.ts'
import { DEFAULT_TABLE, quoteTable } from '../../src/provider/sql.ts'
import { checkUrl } from './url.ts'

/** What the provider needs of a client: a `Pool` or `Client` of `pg`, PGlite, or anything else with a `query` like theirs. */
export interface PostgresClient {
  /** Runs one statement with its values bound to `$1`, `$2`, …, as a transaction of its own. */
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>
}

/** Where the locks are: exactly one of `pool`, `client` and `url`. */
export interface PostgresOptions {
  /** Your own pool, such as one of `pg`. The provider sends several queries at once, and never ends it. */
  readonly pool?: PostgresClient | undefined
  /**
   * Your own single connection, such as a connected `pg` Client or PGlite. The provider sends one query after another, and
   * never ends it. Don't use it for transactions of your own: the locks taken meanwhile would be a part of them.
   */
  readonly client?: PostgresClient | undefined
  /**
   * `postgres://user:password@host:5432/database`. The provider opens a small pool of its own at the first use, by the package `pg`,
   * and ends it with `close()`. A connection that doesn't respond within 5 s is dropped and replaced. One host only.
   */
  readonly url?: string | undefined
  /**
   * The table's name: letters, digits and underscores, at most 63, with or without a schema before a dot. Give
   * `'shedlock'` to share the locks of JVM services that use ShedLock.
   * @default 'ticklock'
   */
  readonly table?: string | undefined
  /**
   * Let each session plan a statement once and keep it under a name, where the client is one of `pg`. A session that turns out not to
   * keep names, as behind a pooler in transaction mode, is sent the text from then on. `false` sends it always: for proxies that
   * bind a connection to a client that prepares.
   * @default true
   */
  readonly prepare?: boolean | undefined
}

/** A pool, a client, a URL, or {@link PostgresOptions}. */
export type PostgresInput = string | PostgresClient | PostgresOptions

/** Where queries go. */
export type Place = { readonly url: string } | { readonly client: PostgresClient; readonly isPool: boolean }

export interface Settings {
  readonly place: Place
  /** As the user wrote it. */
  readonly table: string
  readonly prepare: boolean
}

const KNOWN: readonly string[] = ['pool', 'client', 'url', 'table', 'prepare'] satisfies (keyof PostgresOptions)[]
const PLACES = ['pool', 'client', 'url'] as const

/**
 * Reads what the user gave.
 *
 * @throws {InvalidOptionError} for an unknown, wrong or contradicting option.
 */
export function readInput(input: PostgresInput): Settings {
  const options = asOptions(input)
  checkKeys(options, KNOWN, 'postgres')
  checkOnlyOne(options, PLACES, 'postgres')
  const { table = DEFAULT_TABLE, prepare = true } = options
  quoteTable(table, '"')
  checkBoolean(prepare, 'postgres', 'prepare')
  return { place: placeOf(options), table, prepare }
}

function asOptions(input: PostgresInput): PostgresOptions {
  if (typeof input === 'string') return { url: input }
  if (isClient(input)) return isPool(input) ? { pool: input } : { client: input }
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input
  throw new InvalidOptionError(`postgres: expected a pool, a client, a URL or options, but got ${show(input)}`)
}

function placeOf({ pool, client, url }: PostgresOptions): Place {
  if (url !== undefined) return { url: checkUrl(url) }
  if (isClient(pool)) return { client: pool, isPool: true }
  if (isClient(client)) return { client, isPool: false }
  const [option, value] = pool === undefined ? ['client', client] : ['pool', pool]
  throw new InvalidOptionError(`postgres: ${option} must have a method query, but is ${show(value)}`)
}

const isClient = (value: unknown): value is PostgresClient =>
  typeof value === 'object' && value !== null && 'query' in value && typeof value.query === 'function'

/** Only pools of `pg` count their connections. Anything else is taken for one connection, which is right for both, if slower. */
const isPool = (client: object): boolean => 'totalCount' in client
