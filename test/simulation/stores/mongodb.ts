/*
 * MongoDB, as its documentation has it:
 *
 *   - $$NOW is the server's clock in whole milliseconds, one reading for a command ("System Variables in Aggregation").
 *   - A command changes one document at once ("Atomicity and Transactions"); a bulkWrite is many changes, and others come in between. So an
 *     acquisition reads, asks for what looks free, and reads again; a batch of extensions or releases writes, and reads what came of it.
 *   - An upsert takes no $expr: the record is made free first, by a change of its own.
 *   - What a majority has acknowledged survives crashes and elections, and readConcern majority reads nothing else ("Write Concern", "Read
 *     Isolation"): a failover forgets nothing. The new primary has a clock of its own.
 */

import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  LockRecord,
  ReleaseRequest,
} from '../../../src/provider/contract.ts'
import {
  decideAcquire,
  decideExtend,
  decideRelease,
  decideReset,
  type StoredLock,
} from '../../../src/provider/decide.ts'
import { holderOf, releasedHolderOf } from '../../../src/provider/holder.ts'
import { leaseOf } from '../../../src/provider/resolve.ts'
import { inUniqueRounds } from '../../../src/provider/unique-rounds.ts'
import { Kept } from './kept.ts'
import { byName, pruneFrom, readFrom } from './records.ts'
import { Server } from './server.ts'
import type { SimulatedStore, StoreWorld } from './store.ts'

/** As the provider has it. */
const ROUNDS = 5

/** The record after a change whose condition holds, or undefined. */
type Change = (record: StoredLock, now: number) => StoredLock | undefined

interface Named {
  readonly name: string
}

export function mongodbStore(world: StoreWorld): SimulatedStore {
  const server = new Server(world, 'milliseconds')
  const locks = new Kept<StoredLock>(world.now)

  const change = (name: string, changed: Change): boolean => {
    const record = locks.get(name)
    const next = record && changed(record, server.now())
    if (next) locks.put(name, next)
    return next !== undefined
  }

  /** A bulkWrite, in order of the names; answers how many changes were made. */
  const changeAll = async <Request extends Named>(
    requests: readonly Request[],
    changed: (request: Request) => Change,
    missing: ReadonlySet<string> = new Set(),
  ): Promise<number> => {
    let made = 0
    for (const [index, request] of requests.toSorted(byName).entries()) {
      if (index > 0) await server.pause()
      if (missing.has(request.name)) await create(request.name)
      if (change(request.name, changed(request))) made++
    }
    return made
  }

  const create = async (name: string): Promise<void> => {
    if (!locks.get(name)) {
      locks.put(name, { name, lockedBy: '', lockedAt: 0, lockUntil: 0, fencingToken: 0, tickDone: false })
    }
    await server.pause()
  }

  const read = (requests: readonly Named[]): ReadonlyMap<string, LockRecord> => {
    const names = requests.map(({ name }) => name)
    return new Map(readFrom(locks, names, server.now()).map((record) => [record.name, record]))
  }

  const acquire = async (wave: readonly AcquireRequest[]): Promise<readonly AcquireResult[]> => {
    const results = new Map<AcquireRequest, AcquireResult>()
    const settle = (answer: (request: AcquireRequest) => AcquireResult | undefined): readonly AcquireRequest[] =>
      open.filter((request) => {
        const result = answer(request)
        if (result) results.set(request, result)
        return !result
      })
    let open = wave
    let before = read(wave)
    open = settle((request) => decided(request, before.get(request.name), server.now()))
    for (let round = 1; open.length > 0 && round <= ROUNDS; round++) {
      await server.pause()
      const missing = open.filter(({ name }) => !before.has(name)).map(({ name }) => name)
      await changeAll(open, grantOf, new Set(missing))
      if (open.length > 1 || missing.length > 0) await server.pause()
      const after = read(open)
      open = settle((request) => {
        const record = after.get(request.name)
        return newlyGranted(request, before.get(request.name), record) ?? decided(request, record, server.now())
      })
      before = after
    }
    for (const request of open) {
      const record = before.get(request.name)
      if (!record) throw new Error('the record was made again and again, and is not there')
      results.set(request, { granted: false, reason: 'held', record, storeTime: record.storeTime })
    }
    return wave.map((request) => results.get(request) as AcquireResult)
  }

  const extend = async (wave: readonly ExtendRequest[]): Promise<readonly (Lease | undefined)[]> => {
    const began = server.now()
    const made = await changeAll(wave, extensionOf)
    if (wave.length === 1 && made === 0) return [undefined]
    if (wave.length > 1) await server.pause()
    const after = read(wave)
    return wave.map((request) => {
      const record = after.get(request.name)
      if (!record || record.lockedBy !== holderOf(request) || record.lockUntil <= record.storeTime) return undefined
      const at = record.lockUntil - request.lockAtMostFor
      return leaseOf(record, request.owner, at >= began && at <= record.storeTime ? at : record.storeTime)
    })
  }

  const release = async (wave: readonly ReleaseRequest[]): Promise<readonly boolean[]> => {
    const began = server.now()
    const made = await changeAll(wave, releaseOf)
    if (made === wave.length) return wave.map(() => true)
    await server.pause()
    await changeAll(wave, endOf)
    await server.pause()
    const after = read(wave)
    const released = wave.map((request) => after.get(request.name)?.lockedBy === releasedHolderOf(request))
    if (made <= released.filter(Boolean).length) return released
    return wave.map((request, index) => {
      const record = after.get(request.name)
      const grantedSince = record && record.lockedBy !== holderOf(request) && record.lockedAt >= began - 1
      return released[index] === true || grantedSince === true
    })
  }

  return {
    kind: 'mongodb',
    provider: {
      acquire: (requests) => inUniqueRounds(requests, acquire),
      extend: (requests) => inUniqueRounds(requests, extend),
      release: (requests) => inUniqueRounds(requests, release),
      read: async (names) => readFrom(locks, names, server.now()),
      forceRelease: async (name) => change(name, forcedRelease),
      reset: async (request) => change(request.name, (record, now) => decideReset(record, request, now)),
      prune: async (olderThanMs) => pruneFrom(locks, server.now() - olderThanMs),
      async close() {},
    },
    restart: () => server.crash(),
    failover: () => server.replace(),
    change: (name, change) => locks.change(name, (record) => change(record, server.now())),
    lose: (name) => locks.drop(name),
  }
}

/** The answer that a reading alone gives: a refusal, or the grant that this owner has already. */
function decided(
  request: AcquireRequest,
  record: LockRecord | undefined,
  storeTime: number,
): AcquireResult | undefined {
  const decision = decideAcquire(record, request, storeTime)
  if (decision.outcome === 'refuse') return { granted: false, reason: decision.reason, record, storeTime }
  return decision.outcome === 'granted-before' && record ? granted(request, record) : undefined
}

/** The grant made between two readings, also if it has lapsed since. */
function newlyGranted(
  request: AcquireRequest,
  before: LockRecord | undefined,
  after: LockRecord | undefined,
): AcquireResult | undefined {
  if (!after || after.lockedBy !== holderOf(request) || after.fencingToken <= (before?.fencingToken ?? 0)) {
    return undefined
  }
  const rerun = before !== undefined && before.lastTick === request.tick && before.lockedBy !== holderOf(request)
  return granted(request, { ...after, storeTime: after.lockedAt }, rerun && request.tick !== undefined)
}

const granted = (request: AcquireRequest, record: LockRecord, rerun = false): AcquireResult => ({
  granted: true,
  lease: leaseOf(record, request.owner, record.storeTime),
  rerun,
})

const grantOf =
  (request: AcquireRequest): Change =>
  (record, now) => {
    const decision = decideAcquire(record, request, now)
    return decision.outcome === 'grant' ? decision.next : undefined
  }

const extensionOf =
  (request: ExtendRequest): Change =>
  (record, now) =>
    decideExtend(record, request, now)

/** One that was made before matches nothing, since its holder is another. */
const releaseOf =
  (request: ReleaseRequest): Change =>
  (record, now) => {
    const { released, next } = decideRelease(record, request, now)
    return released && record.lockedBy === holderOf(request) ? next : undefined
  }

/** The tick of a lease that is over, and that nobody took over, is done. */
const endOf =
  (request: ReleaseRequest): Change =>
  (record, now) => {
    const { released, next } = decideRelease(record, request, now)
    return released && record.lockedBy === holderOf(request) ? undefined : next
  }

/** As if the lease had ended when it began: an extension whose command began a moment before must not find it unexpired. */
const forcedRelease: Change = (record, now) =>
  record.lockUntil > now ? { ...record, lockUntil: Math.min(record.lockedAt, now) } : undefined
