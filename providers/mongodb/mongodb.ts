import type { LockProvider, Settled } from '../../src/provider/contract.ts'
import { compareNames } from '../../src/provider/record.ts'
import { inUniqueRounds } from '../../src/provider/unique-rounds.ts'
import { acquireEach } from './acquire.ts'
import { CallTime } from './call-time.ts'
import { extendEach } from './extend.ts'
import { mongodbHistory } from './history.ts'
import { type MongodbInput, readInput } from './options.ts'
import { Records } from './records.ts'
import { releaseEach } from './release.ts'
import { transactionsOf } from './transactions.ts'
import { type Change, forcedReleaseOf, pauseOf, repairOf, resetOf, unusedFor } from './updates.ts'

/** How long the verbs that are about one record wait for it, in ms. */
const SHORT_CALL = 2_000

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
  const inTime =
    <Request extends { readonly name: string }, Result>(
      decideEach: (records: Records, call: CallTime, wave: readonly Request[]) => Promise<Settled<Result>[]>,
    ) =>
    (requests: readonly Request[], options?: { readonly timeout?: number | undefined }) => {
      const call = new CallTime(options?.timeout)
      return inUniqueRounds(requests, (wave) => decideEach(records, call, wave))
    }

  const changed = async (call: CallTime, change: Change): Promise<boolean> =>
    (await records.change(call, change, SHORT_CALL)) !== undefined

  return {
    acquire: inTime(acquireEach),
    extend: inTime(extendEach),
    release: inTime(releaseEach),
    async read(names) {
      if (names?.length === 0) return []
      const { records: readable, unreadable, storeTime = 0 } = await records.read(new CallTime(), names)
      const others = [...unreadable].map(([name, error]) => ({ name, unreadable: error, storeTime }))
      return [...readable.values(), ...others].sort(compareNames)
    },
    async forceRelease(name) {
      const call = new CallTime(SHORT_CALL)
      if (await changed(call, forcedReleaseOf(name))) return true
      if (!(await changed(call, repairOf(name)))) return false
      await changed(call, forcedReleaseOf(name))
      return true
    },
    async reset(request) {
      const call = new CallTime(SHORT_CALL)
      const repaired = await changed(call, repairOf(request.name))
      return (await changed(call, resetOf(request))) || repaired
    },
    async setPaused(request) {
      const call = new CallTime(SHORT_CALL)
      if (await changed(call, pauseOf(request))) return true
      const { name } = request
      const { records: readable, unreadable } = await records.read(call, [name])
      const problem = unreadable.get(name)
      if (problem) throw problem
      if (!request.paused || readable.has(name)) return false
      await records.create(call, name, SHORT_CALL)
      return await changed(call, pauseOf(request))
    },
    transactions: transactionsOf(source),
    history: mongodbHistory(source),
    prune: (olderThanMs) => records.drop(new CallTime(), unusedFor(olderThanMs)),
    setup: () => records.prepare(new CallTime()),
    close: () => source.close(),
  }
}
