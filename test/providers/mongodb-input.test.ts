/* What mongodb() takes and refuses, and how it behaves without a server. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type Collection, type Db, MongoClient } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { type MongodbInput, mongodb } from '../../providers/mongodb/index.ts'
import { InvalidOptionError, StoreError } from '../../src/errors.ts'

// The driver connects at the first command, so none of these needs a server.
const client = new MongoClient('mongodb://127.0.0.1:1/app')
const url = 'mongodb://user:secret@127.0.0.1:1/app'

describe('what mongodb() takes', () => {
  it("takes each of the driver's objects by its type, and options", () => {
    const db: Db = client.db()
    const untyped: Collection = db.collection('locks')
    const typed: Collection<{ _id: string; more: number }> = db.collection('locks')
    const inputs: MongodbInput[] = [
      client,
      db,
      untyped,
      typed,
      url,
      'mongodb+srv://cluster.example.com/app',
      { client, database: 'jobs', collection: 'shedLock' },
      { db, collection: 'schema.locks' },
      { url, database: 'jobs' },
    ]
    for (const input of inputs) expect(mongodb(input).acquire).toBeTypeOf('function')
  })

  it.each<[unknown, RegExp]>([
    [undefined, /expected a URL, a MongoClient, a Db, a Collection or options, but got undefined/],
    [[], /but got an array/],
    [{}, /exactly one of url, client and db, not none of them/],
    [{ url, client }, /exactly one of url, client and db, not url and client/],
    [{ url, table: 'locks' }, /unknown option "table"; the options are url, client, db, database, collection/],
    [{ client: {} }, /client must be a MongoClient of the package mongodb, but is an object/],
    [{ db: 'app' }, /db must be a Db of the package mongodb, but is "app"/],
    [{ db: client.db(), database: 'app' }, /database contradicts db/],
    [{ client, database: 'a.b' }, /database must be a name .* but is "a.b"/],
    [{ client, collection: '' }, /collection must be a name .* but is ""/],
    [{ client, collection: '$cmd' }, /collection must be a name/],
    [{ client, collection: 'system.users' }, /collection must be a name/],
    [{ client, collection: 'a..b' }, /collection must be a name/],
    [{ client, collection: 7 }, /collection must be a name .* but is 7/],
    ['postgres://user:secret@localhost/app', /url must begin with mongodb:\/\/ or mongodb\+srv:\/\/ and name a host/],
    [{ url: 'mongodb:///app' }, /url must begin with/],
  ])('refuses %j at construction', (input, message) => {
    const make = () => mongodb(input as MongodbInput)
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(message)
    expect(make).not.toThrow(/secret/)
  })
})

describe('a client of its own', () => {
  it('fails soon when the server is silent, and within the times that the URL sets', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const provider = mongodb(`mongodb://user:secret@127.0.0.1:${port}/app?serverselectiontimeoutms=200`)
    const began = performance.now()
    const failure = await provider.read().then(String, (error: unknown) => String(error))
    expect(failure).toMatch(/MongoServerSelectionError/)
    expect(failure).not.toMatch(/secret/)
    expect(performance.now() - began).toBeLessThan(4_000)
    await provider.close()
    silent.close()
  })

  it('is not made again after close()', async () => {
    const provider = mongodb(url)
    await provider.close()
    await provider.close()
    await expect(provider.read()).rejects.toThrow(StoreError)
  })
})
