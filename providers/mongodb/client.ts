/* Where the collection comes from: the user's client, or one of our own for a user who gives a URL. */
import { StoreError } from '../../src/errors.ts'
import type { MongoCollection, MongoDatabase } from './driver.ts'

export interface CollectionSource {
  /** The collection, or the one whose name has this text after it. */
  get(suffix?: string): Promise<MongoCollection>
  /** Whether there are others than the collection itself. */
  readonly hasSiblings: boolean
  close(): Promise<void>
}

interface Names {
  readonly database: string | undefined
  readonly collection: string
}

/** What the provider uses of its own client. */
interface OwnClient {
  connect(): Promise<unknown>
  db(name?: string): MongoDatabase
  close(): Promise<void>
}

/**
 * What a URL that says nothing else gets, in ms: the driver would wait 30 s for a server that is down, and for ever for one that has
 * gone silent.
 */
const TIMEOUTS = { serverSelectionTimeoutMS: 5_000, connectTimeoutMS: 5_000, socketTimeoutMS: 10_000 } as const

/** The user's collection: used as it is, its client is never closed. */
export const givenCollection = (collection: MongoCollection): CollectionSource => ({
  get: async () => collection,
  hasSiblings: false,
  close: async () => {},
})

/** A collection in the user's database, whose client is never closed. */
export const collectionIn = (database: MongoDatabase, name: string): CollectionSource => {
  const collection = database.collection(name)
  return {
    get: async (suffix) => (suffix === undefined ? collection : database.collection(name + suffix)),
    hasSiblings: true,
    close: async () => {},
  }
}

/** A client made by the first `get()`. After `close()` every `get()` rejects, since the driver itself would connect anew. */
export function collectionByUrl(url: string, names: Names): CollectionSource {
  let client: Promise<OwnClient> | undefined
  let closed: Promise<void> | undefined
  return {
    hasSiblings: true,
    async get(suffix = '') {
      if (closed) throw new StoreError('the mongodb provider is closed')
      client ??= open(url)
      const opening = client
      // A failed import may succeed later (npm install mongodb), and so may a failed connection.
      opening.catch(() => {
        if (client === opening) client = undefined
      })
      return (await opening).db(names.database).collection(names.collection + suffix)
    },
    close() {
      closed ??= client
        ? client.then(
            (opened) => opened.close(),
            () => {},
          )
        : Promise.resolve()
      return closed
    },
  }
}

/**
 * Connected: a client of the driver whose first connection fails is closed by that for good ("Topology is closed"), also when the server
 * is there again. So that one is thrown away.
 */
async function open(url: string): Promise<OwnClient> {
  const { MongoClient } = await loadDriver()
  const client: OwnClient = new MongoClient(url, { appName: 'ticklock', ...timeoutsFor(url) })
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.close().catch(() => {})
    throw error
  }
}

async function loadDriver() {
  try {
    return await import('mongodb')
  } catch (cause) {
    throw new StoreError('a MongoDB URL needs the package mongodb: run `npm install mongodb`', { cause })
  }
}

/** The driver prefers its options to the URL's, so what the URL sets is left out. */
function timeoutsFor(url: string): Partial<typeof TIMEOUTS> {
  const query = new URLSearchParams(url.split('?')[1] ?? '')
  const set = new Set([...query.keys()].map((key) => key.toLowerCase()))
  return Object.fromEntries(Object.entries(TIMEOUTS).filter(([option]) => !set.has(option.toLowerCase())))
}
