/*
 * The decisions of answers.ts by a clock that is known between two bounds. Nothing is taken from a holder before its lease is over by the
 * earliest time, and a lease lasts until its length after the latest. So no other node takes it over before its holder's own deadline, however wide
 * the bounds are.
 */

import type { AcquireRequest, AcquireResult, ReleaseRequest } from '../contract.ts'
import type { StoredLock } from '../decide.ts'
import {
  type Answerer,
  answerAcquire,
  answerExtend,
  answerForceRelease,
  answerPause,
  answerRelease,
  answerReset,
} from '../resolve.ts'
import type { TimeBounds } from './store.ts'

export type BoundedAnswerer<Request, Result> = (
  record: StoredLock | undefined,
  request: Request,
  time: TimeBounds,
) => ReturnType<Answerer<Request, Result>>

/** No decision about a record is of a time before its last write, unless that was written by a clock further ahead than this, in ms. */
const BELIEVED_AHEAD = 10_000

/** The time at which a record is decided: never before it was last written, whichever node wrote it. */
export function timeOf({ earliest, latest }: TimeBounds, changedAt: number | undefined): TimeBounds {
  if (changedAt === undefined || changedAt <= earliest || changedAt > latest + BELIEVED_AHEAD)
    return { earliest, latest }
  return { earliest: changedAt, latest: Math.max(latest, changedAt) }
}

export const acquireWithin: BoundedAnswerer<AcquireRequest, AcquireResult> = (record, request, time) => {
  const answered = answerAcquire(record, request, time.earliest)
  // What is free by the earliest time is free by the latest.
  if (answered.next) return answerAcquire(record, request, time.latest)
  const { answer } = answered
  return answer.granted ? { answer: { ...answer, lease: { ...answer.lease, storeTime: time.latest } } } : answered
}

export const extendWithin: BoundedAnswerer<
  Parameters<typeof answerExtend>[1],
  ReturnType<typeof answerExtend>['answer']
> = (record, request, { latest }) => answerExtend(record, request, latest)

export const releaseWithin: BoundedAnswerer<ReleaseRequest, boolean> = (record, request, { earliest, latest }) => {
  // It was acquired before now, also if a node with wider bounds wrote a later time.
  const known = record && { ...record, lockedAt: Math.min(record.lockedAt, latest) }
  const { answer, next } = answerRelease(known, request, earliest)
  if (!record || !next) return { answer, next }
  // What may be free by now is free at once, for every node.
  const lockUntil = next.lockUntil <= latest ? Math.min(next.lockUntil, earliest) : next.lockUntil
  return { answer, next: { ...next, lockedAt: record.lockedAt, lockUntil } }
}

const atEarliest =
  <Request, Result>(answerer: Answerer<Request, Result>): BoundedAnswerer<Request, Result> =>
  (record, request, { earliest }) =>
    answerer(record, request, earliest)

export const forceReleaseWithin = atEarliest(answerForceRelease)
export const resetWithin = atEarliest(answerReset)
export const pauseWithin = atEarliest(answerPause)
