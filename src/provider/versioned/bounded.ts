/*
 * The decisions of answers.ts by a clock that is known between two bounds. Nothing is taken from a holder before its lease is over by the
 * earliest time, and a lease lasts until its length after the latest. So no other node takes it over before its holder's own deadline, however wide
 * the bounds are.
 */

import type { AcquireRequest, AcquireResult, ReleaseRequest } from '../contract.ts'
import type { StoredLock } from '../decide.ts'
import {
  type Resolver,
  resolveAcquire,
  resolveExtend,
  resolveForceRelease,
  resolvePause,
  resolveRelease,
  resolveReset,
} from '../resolve.ts'
import type { TimeBounds } from './store.ts'

export type BoundedResolver<Request, Result> = (
  record: StoredLock | undefined,
  request: Request,
  time: TimeBounds,
) => ReturnType<Resolver<Request, Result>>

/** No decision about a record is of a time before its last write, unless that was written by a clock further ahead than this, in ms. */
const BELIEVED_AHEAD = 10_000

/** The time at which a record is decided: never before it was last written, whichever node wrote it. */
export function timeOf({ earliest, latest }: TimeBounds, changedAt: number | undefined): TimeBounds {
  if (changedAt === undefined || changedAt <= earliest || changedAt > latest + BELIEVED_AHEAD)
    return { earliest, latest }
  return { earliest: changedAt, latest: Math.max(latest, changedAt) }
}

export const acquireWithin: BoundedResolver<AcquireRequest, AcquireResult> = (record, request, time) => {
  const resolved = resolveAcquire(record, request, time.earliest)
  // What is free by the earliest time is free by the latest.
  if (resolved.next) return resolveAcquire(record, request, time.latest)
  const { result } = resolved
  return result.granted ? { result: { ...result, lease: { ...result.lease, storeTime: time.latest } } } : resolved
}

export const extendWithin: BoundedResolver<
  Parameters<typeof resolveExtend>[1],
  ReturnType<typeof resolveExtend>['result']
> = (record, request, { latest }) => resolveExtend(record, request, latest)

export const releaseWithin: BoundedResolver<ReleaseRequest, boolean> = (record, request, { earliest, latest }) => {
  // It was acquired before now, also if a node with wider bounds wrote a later time.
  const known = record && { ...record, lockedAt: Math.min(record.lockedAt, latest) }
  const { result, next } = resolveRelease(known, request, earliest)
  if (!record || !next) return { result, next }
  // What may be free by now is free at once, for every node.
  const lockUntil = next.lockUntil <= latest ? Math.min(next.lockUntil, earliest) : next.lockUntil
  return { result, next: { ...next, lockedAt: record.lockedAt, lockUntil } }
}

const atEarliest =
  <Request, Result>(resolve: Resolver<Request, Result>): BoundedResolver<Request, Result> =>
  (record, request, { earliest }) =>
    resolve(record, request, earliest)

export const forceReleaseWithin = atEarliest(resolveForceRelease)
export const resetWithin = atEarliest(resolveReset)
export const pauseWithin = atEarliest(resolvePause)
