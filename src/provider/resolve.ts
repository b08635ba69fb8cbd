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

export interface Resolved<Result> {
  readonly result: Result
  /** Undefined when the record stays as it is. */
  readonly next?: StoredLock | undefined
}

export type Resolver<Request, Result> = (
  record: StoredLock | undefined,
  request: Request,
  now: number,
) => Resolved<Result>

export const resolveAcquire: Resolver<AcquireRequest, AcquireResult> = (record, request, storeTime) => {
  const decision = decideAcquire(record, request, storeTime)
  if (decision.outcome === 'refuse') {
    const { reason } = decision
    return { result: { granted: false, reason, record: record && { ...record, storeTime }, storeTime } }
  }
  const lease = leaseOf(decision.next, request.owner, storeTime)
  if (decision.outcome === 'granted-before') return { result: { granted: true, lease } }
  return { result: { granted: true, lease, rerun: decision.rerun }, next: decision.next }
}

export const resolveExtend: Resolver<ExtendRequest, Lease | undefined> = (record, request, storeTime) => {
  const next = decideExtend(record, request, storeTime)
  return { result: next && leaseOf(next, request.owner, storeTime), next }
}

export const resolveRelease: Resolver<ReleaseRequest, boolean> = (record, request, storeTime) => {
  const { released, next } = decideRelease(record, request, storeTime)
  return { result: released, next }
}

export const resolveForceRelease: Resolver<{ readonly name: string }, boolean> = (record, _request, storeTime) =>
  record && record.lockUntil > storeTime
    ? { result: true, next: { ...record, lockUntil: storeTime } }
    : { result: false }

export const resolveReset: Resolver<ResetRequest, boolean> = (record, request, storeTime) => {
  const next = decideReset(record, request, storeTime)
  return { result: next !== undefined, next }
}

export const resolvePause: Resolver<PauseRequest, boolean> = (record, request, storeTime) => {
  const next = decidePause(record, request, storeTime)
  return { result: next !== undefined, next }
}

export const leaseOf = (lock: StoredLock, owner: string, storeTime: number): Lease => ({
  name: lock.name,
  owner,
  fencingToken: lock.fencingToken,
  acquiredAt: lock.lockedAt,
  lockUntil: lock.lockUntil,
  storeTime,
})
