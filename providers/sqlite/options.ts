import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { checkKeys, checkOnlyOne } from '../../src/options.ts'
import { DEFAULT_TABLE, quoteTable } from '../../src/provider/sql.ts'
import type { SqliteDatabase } from './driver.ts'

/** Where the locks are: exactly one of `path`, `url` and `database`. */
export interface SqliteOptions {
  /**
   * The file, absolute or relative to the working directory at the time of the call. The provider opens it at the first use, makes
   * file and table when they are missing, and closes it with `close()`. Every process of the machine that uses the same
   * file shares its locks.
   */
  readonly path?: string | undefined
  /** The file as `sqlite:./ticklock.sqlite`, `sqlite:///var/lib/app/ticklock.sqlite` or a `file:` URL; as `path` otherwise. */
  readonly url?: string | undefined
  /**
   * Your own open database. The provider changes none of its settings, makes no table unless you call `setup()`, and never
   * closes it.
   */
  readonly database?: SqliteDatabase | undefined
  /**
   * The table's name: letters, digits and underscores, at most 63, with or without the name of an attached database before a dot.
   * @default 'ticklock'
   */
  readonly table?: string | undefined
  /** The store's clock, in ms since the epoch: must be the same for all who share the file. @default Date.now */
  readonly now?: (() => number) | undefined
}

/** A path, a URL, an open database, or {@link SqliteOptions}. */
export type SqliteInput = string | SqliteDatabase | SqliteOptions

export interface Settings {
  readonly place: { readonly path: string } | { readonly database: SqliteDatabase }
  readonly table: string
  readonly now: () => number
}

const KNOWN: readonly string[] = ['path', 'url', 'database', 'table', 'now'] satisfies (keyof SqliteOptions)[]
const PLACES = ['path', 'url', 'database'] as const

/**
 * Reads what the user gave.
 *
 * @throws {InvalidOptionError} for an unknown or contradicting option, and for a database in memory.
 */
export function readInput(input: SqliteInput): Settings {
  const options = asOptions(input)
  checkKeys(options, KNOWN, 'sqlite')
  checkOnlyOne(options, PLACES, 'sqlite')
  const { table = DEFAULT_TABLE, now = Date.now } = options
  quoteTable(table, '"')
  if (typeof now !== 'function') throw new InvalidOptionError(`sqlite: now must be a function, but is ${show(now)}`)
  return { place: placeOf(options), table, now }
}

function asOptions(input: SqliteInput): SqliteOptions {
  if (typeof input === 'string') return /^(sqlite|file):/i.test(input) ? { url: input } : { path: input }
  if (isDatabase(input)) return { database: input }
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input
  throw new InvalidOptionError(`sqlite: expected a path, a URL, an open database or options, but got ${show(input)}`)
}

function placeOf({ path, url, database }: SqliteOptions): Settings['place'] {
  if (url !== undefined) return { path: checked(pathOf(url)) }
  if (path !== undefined) return { path: checked(path) }
  if (isDatabase(database)) return { database }
  throw new InvalidOptionError(
    `sqlite: database must be an open database of node:sqlite, @photostructure/sqlite or better-sqlite3, but is ${show(database)}`,
  )
}

const isDatabase = (value: unknown): value is SqliteDatabase =>
  typeof value === 'object' && value !== null && 'prepare' in value && 'exec' in value

function checked(path: unknown): string {
  if (path === ':memory:') {
    throw new InvalidOptionError(
      "sqlite: a database in memory is seen by nobody else; take memory() of 'ticklock/memory' if one process is all there is",
    )
  }
  // The value is not shown: a URL of another store, given here by mistake, may contain a password.
  if (typeof path !== 'string' || path === '' || path.includes('\0') || /^[a-z][a-z0-9+.-]+:\/\//i.test(path)) {
    throw new InvalidOptionError('sqlite: path must be the path of a file, such as "./ticklock.sqlite"')
  }
  return resolve(path)
}

function pathOf(url: string): string {
  const wrong = (cause?: unknown): InvalidOptionError =>
    new InvalidOptionError(
      'sqlite: url must look like "sqlite:./ticklock.sqlite" or "sqlite:///var/lib/app/ticklock.sqlite", without host and parameters',
      { cause },
    )
  const [, scheme, rest] = /^(sqlite|file):([^?#]+)$/i.exec(String(url)) ?? []
  if (!scheme || !rest) throw wrong()
  try {
    if (rest.startsWith('/')) return fileURLToPath(`file:${rest}`)
    return decodeURIComponent(rest)
  } catch (cause) {
    throw wrong(cause)
  }
}
