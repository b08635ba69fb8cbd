/*
 * The decisions of decide.ts as answers of the contract, for stores that decide in this process: what is answered, and the record to write
 * when it changes.
 */
import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  PauseRequest,
  ReleaseRequest,
  ResetRequest,
} from './contract.ts'
import { decideAcquire, decideExtend, decidePause, decideRelease, decideReset, type StoredLock } from './decide.ts'

export interface Answered<Answer> {
  readonly answer: Answer
  /** Undefined when the record stays as it is. */
  readonly next?: StoredLock | undefined
}

export type Answerer<Request, Answer> = (
  record: StoredLock | undefined,
  request: Request,
  now: number,
) => Answered<Answer>

export const answerAcquire: Answerer<AcquireRequest, AcquireResult> = (record, request, storeTime) => {
  const decision = decideAcquire(record, request, storeTime)
  if (decision.outcome === 'refuse') {
    const { reason } = decision
    return { answer: { granted: false, reason, record: record && { ...record, storeTime }, storeTime } }
  }
  const lease = leaseOf(decision.next, request.owner, storeTime)
  if (decision.outcome === 'granted-before') return { answer: { granted: true, lease } }
  return { answer: { granted: true, lease, rerun: decision.rerun }, next: decision.next }
}

export const answerExtend: Answerer<ExtendRequest, Lease | undefined> = (record, request, storeTime) => {
  const next = decideExtend(record, request, storeTime)
  return { answer: next && leaseOf(next, request.owner, storeTime), next }
}

export const answerRelease: Answerer<ReleaseRequest, boolean> = (record, request, storeTime) => {
  const { released, next } = decideRelease(record, request, storeTime)
  return { answer: released, next }
}

export const answerForceRelease: Answerer<{ readonly name: string }, boolean> = (record, _request, storeTime) =>
  record && record.lockUntil > storeTime
    ? { answer: true, next: { ...record, lockUntil: storeTime } }
    : { answer: false }

export const answerReset: Answerer<ResetRequest, boolean> = (record, request, storeTime) => {
  const next = decideReset(record, request, storeTime)
  return { answer: next !== undefined, next }
}

export const answerPause: Answerer<PauseRequest, boolean> = (record, request, storeTime) => {
  const next = decidePause(record, request, storeTime)
  return { answer: next !== undefined, next }
}

export const leaseOf = (lock: StoredLock, owner: string, storeTime: number): Lease => ({
  name: lock.name,
  owner,
  fencingToken: lock.fencingToken,
  acquiredAt: lock.lockedAt,
  lockUntil: lock.lockUntil,
  storeTime,
})
