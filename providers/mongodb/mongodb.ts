import type { LockProvider } from '../../src/provider/contract.ts'
import { inWaves } from '../../src/provider/waves.ts'
import { acquireEach } from './acquire.ts'
import { forcedReleaseOf, pauseOf, unusedFor } from './changes.ts'
import { extendEach } from './extend.ts'
import { mongodbHistory } from './history.ts'
import { type MongodbInput, readInput } from './options.ts'
import { Records } from './records.ts'
import { releaseEach } from './release.ts'

/**
 * Keeps locks in a collection of MongoDB 4.4 or later: a standalone server, a replica set or a sharded cluster. Time is the server's.
 * Every write is acknowledged by a majority, and every read comes from the primary, whatever the client prefers.
 *
 * Takes a `MongoClient`, `Db` or `Collection` of the package `mongodb`, version 6 or 7, which stays the caller's: `close()` leaves it open.
 * With a URL the provider makes a client of its own at the first use. The collection is called `ticklock` unless told otherwise;
 * `collection: 'shedLock'` shares the locks of ShedLock's nodes.
 *
 * @example
 * const provider = mongodb(client.db('app'))
 * const shared = mongodb({ url: 'mongodb://localhost:27017', database: 'app', collection: 'shedLock' })
 *
 * @throws {InvalidOptionError} for an unknown, wrong or contradicting option. Nothing is connected yet.
 */
export function mongodb(input: MongodbInput): LockProvider {
  const source = readInput(input)
  const records = new Records(source)
  return {
    acquire: (requests) => inWaves(requests, (wave) => acquireEach(records, wave)),
    extend: (requests) => inWaves(requests, (wave) => extendEach(records, wave)),
    release: (requests) => inWaves(requests, (wave) => releaseEach(records, wave)),
    async read(names) {
      if (names?.length === 0) return []
      const reading = await records.read(names)
      return [...reading.records.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    forceRelease: async (name) => (await records.changeAll([forcedReleaseOf(name)])) > 0,
    async setPaused(request) {
      if (await records.change(pauseOf(request))) return true
      if (!request.paused) return false
      await records.create(request.name)
      return (await records.change(pauseOf(request))) !== undefined
    },
    history: mongodbHistory(source),
    reset: () => Promise.reject(new Error('reset is not there yet')),
    prune: (olderThanMs) => records.drop(unusedFor(olderThanMs)),
    setup: () => records.prepare(),
    close: () => source.close(),
  }
}
