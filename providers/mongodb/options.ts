import { show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { checkKeys, checkOnlyOne } from '../../src/options.ts'
import { type CollectionSource, collectionByUrl, collectionIn, givenCollection } from './client.ts'
import {
  isClient,
  isCollection,
  isDatabase,
  type MongoCollection,
  type MongoDatabase,
  type MongoDatabases,
} from './driver.ts'

/** Where the locks are: exactly one of `url`, `client` and `db`. */
export interface MongodbOptions {
  /**
   * A `mongodb://` or `mongodb+srv://` URL. The provider makes a client of its own at the first use and closes it with `close()`. Needs
   * the package `mongodb`.
   */
  readonly url?: string | undefined
  /** Your own `MongoClient`. The provider never closes it. */
  readonly client?: MongoDatabases | undefined
  /** A `Db` of your own client. The provider never closes it. */
  readonly db?: MongoDatabase | undefined
  /** The database's name, for `url` and `client`. @default the one in the client's URL, or else `test` */
  readonly database?: string | undefined
  /** The collection's name; ShedLock's is `shedLock`. @default 'ticklock' */
  readonly collection?: string | undefined
}

/** A URL, the driver's `MongoClient`, `Db` or `Collection`, or {@link MongodbOptions}. */
export type MongodbInput = string | MongoDatabases | MongoDatabase | MongoCollection | MongodbOptions

const KNOWN: readonly string[] = ['url', 'client', 'db', 'database', 'collection'] satisfies (keyof MongodbOptions)[]
const PLACES = ['url', 'client', 'db'] as const

/** The collection's name where the user gives none. */
const DEFAULT_COLLECTION = 'ticklock'

/**
 * Reads what the user gave.
 *
 * @throws {InvalidOptionError} for an unknown, wrong or contradicting option.
 */
export function readInput(input: MongodbInput): CollectionSource {
  if (isCollection(input)) return givenCollection(input)
  const options = asOptions(input)
  checkKeys(options, KNOWN, 'mongodb')
  checkOnlyOne(options, PLACES, 'mongodb')
  return sourceOf(options)
}

function asOptions(input: Exclude<MongodbInput, MongoCollection>): MongodbOptions {
  if (typeof input === 'string') return { url: input }
  if (isClient(input)) return { client: input }
  if (isDatabase(input)) return { db: input }
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as MongodbOptions
  throw new InvalidOptionError(
    `mongodb: expected a URL, a MongoClient, a Db, a Collection or options, but got ${show(input)}`,
  )
}

function sourceOf({ url, client, db, database, collection }: MongodbOptions): CollectionSource {
  const names = { database: checkedDatabase(database), collection: checkedCollection(collection ?? DEFAULT_COLLECTION) }
  if (url !== undefined) return collectionByUrl(checkedUrl(url), names)
  if (client !== undefined) {
    if (isClient(client)) return collectionIn(client.db(names.database), names.collection)
    throw new InvalidOptionError(`mongodb: client must be a MongoClient of the package mongodb, but is ${show(client)}`)
  }
  if (!isDatabase(db)) {
    throw new InvalidOptionError(`mongodb: db must be a Db of the package mongodb, but is ${show(db)}`)
  }
  if (database !== undefined) {
    throw new InvalidOptionError('mongodb: database contradicts db, which is a database already; leave one of them out')
  }
  return collectionIn(db, names.collection)
}

function checkedUrl(url: unknown): string {
  // The value is not shown: it may contain a password.
  if (typeof url === 'string' && /^mongodb(\+srv)?:\/\/[^/]/.test(url)) return url
  throw new InvalidOptionError('mongodb: url must begin with mongodb:// or mongodb+srv:// and name a host')
}

function checkedDatabase(name: unknown): string | undefined {
  if (name === undefined || (typeof name === 'string' && /^[^/\\. "$*<>:|?\0]{1,63}$/.test(name))) return name
  throw new InvalidOptionError(
    `mongodb: database must be a name of 1 to 63 characters without / \\ . " $ * < > : | ? and spaces, but is ${show(name)}`,
  )
}

function checkedCollection(name: unknown): string {
  const fits = typeof name === 'string' && /^(?!system\.)[^$\0]{1,120}$/.test(name) && !/^\.|\.\.|\.$/.test(name)
  if (fits) return name
  throw new InvalidOptionError(
    `mongodb: collection must be a name of 1 to 120 characters without $, not begun by "system." and with no dot at an end or beside another, but is ${show(name)}`,
  )
}
