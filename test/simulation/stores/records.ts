/* What models share that keep whole records. */

import type { AcquireRequest, AcquireResult, ExtendRequest, Lease, LockRecord } from '../../../src/provider/contract.ts'
import type { StoredLock } from '../../../src/provider/decide.ts'
import { leaseOf, type Resolver, resolveAcquire, resolveExtend, resolveRelease } from '../../../src/provider/resolve.ts'
import type { Kept } from './kept.ts'

/** A record as columns of microseconds keep it. */
const inMicroseconds = (lock: StoredLock): StoredLock => ({
  ...lock,
  lockedAt: Math.round(lock.lockedAt * 1_000) / 1_000,
  lockUntil: Math.round(lock.lockUntil * 1_000) / 1_000,
})

/** The reference's decisions, as a store of microseconds keeps and answers them. */
export const byMicroseconds = {
  acquire: ((record, request, now) => {
    const { result, next } = resolveAcquire(record, request, now)
    if (!next) return { result }
    const kept = inMicroseconds(next)
    return { result: { ...result, granted: true, lease: leaseOf(kept, request.owner, now) }, next: kept }
  }) satisfies Resolver<AcquireRequest, AcquireResult>,

  extend: ((record, request, now) => {
    const { next } = resolveExtend(record, request, now)
    const kept = next && inMicroseconds(next)
    return { result: kept && leaseOf(kept, request.owner, now), next: kept }
  }) satisfies Resolver<ExtendRequest, Lease | undefined>,

  release: ((record, request, now) => {
    const { result, next } = resolveRelease(record, request, now)
    return { result, next: next && inMicroseconds(next) }
  }) satisfies typeof resolveRelease,
}

export const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1)

/** The records of these names, or all, as they are at one moment. */
export function readFrom(
  locks: Kept<StoredLock>,
  names: readonly string[] | undefined,
  storeTime: number,
): LockRecord[] {
  const found = names ? [...new Set(names)].flatMap((name) => locks.get(name) ?? []) : [...locks.all()]
  return found.map((lock) => ({ ...lock, storeTime })).sort(byName)
}

/** Drops the records that have been free, and whose last tick has been past, since before this time; answers how many. */
export function pruneFrom(locks: Kept<StoredLock>, before: number): number {
  const unused = [...locks.all()].filter((lock) => Math.max(lock.lockUntil, lock.lastTick ?? 0) < before)
  for (const { name } of unused) locks.drop(name)
  return unused.length
}
