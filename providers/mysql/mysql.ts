import { setTimeout as pause } from 'node:timers/promises'
import { isRecordBusy } from '../../src/errors.ts'
import type {
  AcquireRequest,
  AcquireResult,
  CallOptions,
  ExtendRequest,
  Lease,
  LockProvider,
  PauseRequest,
  ReleaseRequest,
  ResetRequest,
  Settled,
} from '../../src/provider/contract.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import { ForeignClock } from '../../src/provider/foreign-clock.ts'
import { checkLock, compareNames, isReadable, isUnreadable, readRecord, repairLock } from '../../src/provider/record.ts'
import {
  leaseOf,
  resolveAcquire,
  resolveExtend,
  resolveForceRelease,
  resolvePause,
  resolveRelease,
  resolveReset,
} from '../../src/provider/resolve.ts'
import { inUniqueRounds } from '../../src/provider/unique-rounds.ts'
import { DEFAULT_TIMEOUT, Deadline } from './bounds.ts'
import { type Decide, settle } from './decide-batch.ts'
import { mysqlHistory } from './history.ts'
import { type MysqlInput, readInput } from './options.ts'
import { LocksTable } from './records.ts'
import type { Change, Found, Seen } from './stored-record.ts'
import { transactionsOf } from './transactions.ts'

/** How long a verb for one name waits for a record that another transaction has locked, in ms, and how often it looks. */
const BUSY_FOR = 2_000
const BUSY_DELAY = 50

/**
 * Keeps locks in a table of MySQL (8.0.17 or later) or MariaDB (10.6 or later).
 *
 * Takes your own pool or connection of `mysql2`, a URL, or {@link MysqlOptions}. The table is made by `setup()`, or by the
 * statement that {@link mysqlSetup} gives. The clock is the server's. A refused acquisition costs one round trip and writes
 * nothing, a grant, an extension or a release two, the first grant of a name three.
 *
 * @example
 * const provider = mysql(pool)
 *
 * @throws {InvalidOptionError} for wrong options. Nothing is opened before the first use.
 */
export function mysql(input: MysqlInput): LockProvider {
  const { source, table } = readInput(input)
  const locks = new LocksTable(source, table)
  const foreignClock = new ForeignClock('mysql')

  const decideAll =
    <Request extends { readonly name: string }, Result>(decide: Decide<Request, Result>) =>
    (requests: readonly Request[], { timeout = DEFAULT_TIMEOUT }: CallOptions = {}) => {
      const deadline = new Deadline(timeout)
      return inUniqueRounds<Request, Settled<Result>>(requests, (batch) => settle(locks, batch, decide, deadline))
    }

  const acquireAll = decideAll(acquire)

  const decideOne = async <Request extends { readonly name: string }, Result>(
    request: Request,
    decide: Decide<Request, Result>,
  ): Promise<Result> => {
    const deadline = new Deadline(DEFAULT_TIMEOUT)
    const busyUntil = new Deadline(BUSY_FOR)
    for (;;) {
      const [result] = (await settle(locks, [request], decide, deadline)) as [Settled<Result>]
      if (!(result instanceof Error)) return result
      if (!isRecordBusy(result) || busyUntil.left() <= 0) throw result
      await pause(BUSY_DELAY)
    }
  }

  return {
    async acquire(requests, options) {
      const results = await acquireAll(requests, options)
      for (const result of results)
        if (!(result instanceof Error) && !result.granted && result.record) foreignClock.look(result.record)
      return results
    },
    extend: decideAll(extend),
    release: decideAll(release),
    async read(names) {
      const found = names ? await some(locks, [...new Set(names)]) : await locks.findAll()
      const records = found.flatMap(([, { seen, now }]) => (seen ? [readRecord(seen.raw, now)] : []))
      for (const record of records) if (!isUnreadable(record)) foreignClock.look(record)
      return records.sort(compareNames)
    },
    forceRelease: (name) => decideOne({ name }, forceRelease),
    reset: (request) => decideOne(request, reset),
    setPaused: (request) => decideOne(request, setPaused),
    transactions: transactionsOf(locks),
    history: mysqlHistory(table, source),
    prune: (olderThanMs) => locks.prune(olderThanMs),
    setup: () => locks.setUp(),
    close: () => source.close(),
  }
}

/** A name that the table can't hold has no record. */
async function some(locks: LocksTable, names: readonly string[]): Promise<(readonly [string, Found])[]> {
  const { found } = await locks.find(names, new Deadline(DEFAULT_TIMEOUT))
  return names.flatMap((name, index) => {
    const each = found[index] as Found | Error
    return each instanceof Error ? [] : [[name, each] as const]
  })
}

const lockOf = (seen: Seen | undefined): StoredLock | undefined => seen && checkLock(seen.raw)

/* The reference's decisions. The times of a lease are returned as the columns keep them, so that a repeated request returns the same. */

const acquire: Decide<AcquireRequest, AcquireResult> = ({ seen, now }, request, asKept) => {
  const { result, next } = resolveAcquire(lockOf(seen), request, now)
  if (!next || !result.granted) return { result: result }
  return { result: { ...result, lease: leaseOf(asKept(next, now), request.owner, now) }, next }
}

const extend: Decide<ExtendRequest, Lease | undefined> = ({ seen, now }, request, asKept) => {
  const { next } = resolveExtend(lockOf(seen), request, now)
  return { result: next && leaseOf(asKept(next, now), request.owner, now), next }
}

const release: Decide<ReleaseRequest, boolean> = ({ seen, now }, request, _asKept, maybeWritten) => {
  const record = lockOf(seen)
  const { result, next } = resolveRelease(record, request, now)
  return { result: result || (maybeWritten !== undefined && isGrantedOver(record, maybeWritten)), next }
}

/** Somebody was granted the lock within the lease that was to be released: so it was released, before we could read that. */
const isGrantedOver = (record: StoredLock | undefined, { seen }: Change): boolean =>
  record !== undefined &&
  seen !== undefined &&
  record.fencingToken > Number(seen.raw.fencingToken) &&
  record.lockedAt < Number(seen.raw.lockUntil)

const forceRelease: Decide<{ readonly name: string }, boolean> = ({ seen, now }, request) => {
  if (seen && !isReadable(seen.raw)) {
    const repaired = repairLock(request.name, seen.raw, now)
    return { result: true, next: { ...repaired, lockUntil: Math.min(repaired.lockUntil, now) } }
  }
  const { result, next } = resolveForceRelease(lockOf(seen), request, now)
  return { result: result, next }
}

const reset: Decide<ResetRequest, boolean> = ({ seen, now }, request) => {
  if (seen && !isReadable(seen.raw)) {
    const repaired = repairLock(request.name, seen.raw, now)
    return { result: true, next: resolveReset(repaired, request, now).next ?? repaired }
  }
  const { result, next } = resolveReset(lockOf(seen), request, now)
  return { result: result, next }
}

const setPaused: Decide<PauseRequest, boolean> = ({ seen, now }, request) => {
  const { result, next } = resolvePause(lockOf(seen), request, now)
  return { result: result, next }
}
