/* What a lock of one name does, one request after another, as far as it doesn't hang on how late it is: leases here are long, or over. */
import { isDeepStrictEqual } from 'node:util'
import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  LockRecord,
  Refused,
  ReleaseRequest,
} from '../../../src/provider/contract.ts'
import { decideAcquire, decideExtend, decideRelease, type StoredLock } from '../../../src/provider/decide.ts'
import { releasedHolderOf } from '../../../src/provider/holder.ts'
import type { Interval } from './search.ts'

/** One request about one name, and its answer. */
export type Event = Interval &
  (
    | { readonly verb: 'acquire'; readonly request: AcquireRequest; readonly answer: AcquireResult }
    | { readonly verb: 'extend'; readonly request: ExtendRequest; readonly answer: Lease | undefined }
    | { readonly verb: 'release'; readonly request: ReleaseRequest; readonly answer: boolean }
    | { readonly verb: 'forceRelease'; readonly answer: boolean }
    | { readonly verb: 'read'; readonly answer: LockRecord | undefined }
  )

/** The record, if there is one. Its lease ends never, or is over: nothing here depends on when. */
export interface State {
  readonly record: StoredLock | undefined
}

const NEVER = Number.POSITIVE_INFINITY
const OVER = Number.NEGATIVE_INFINITY

/** JSON knows no infinity. */
export const keyOf = ({ record }: State): string => `${record?.lockUntil} ${JSON.stringify(record)}`

/** The state as it was read. */
export const stateOf = (record: LockRecord | undefined): State => {
  if (!record) return { record }
  const { storeTime, ...lock } = record
  return { record: timeless(lock, storeTime) }
}

/** The states that there may be after the event: none if a lock in this state would have answered otherwise. */
export function step({ record }: State, event: Event): readonly State[] {
  switch (event.verb) {
    case 'acquire':
      return acquired(record, event.request, event.answer)
    case 'extend': {
      const next = decideExtend(record, event.request, record?.lockedAt ?? 0)
      return only(isSameLease(record, event.answer, next !== undefined), record)
    }
    case 'release': {
      const now = record?.lockedAt ?? 0
      const next = decideRelease(record, event.request, now)
      return only(event.answer === (next !== undefined), typeof next === 'object' ? timeless(next, now) : record)
    }
    case 'forceRelease':
      return only(event.answer === (record?.lockUntil === NEVER), record && { ...record, lockUntil: OVER })
    case 'read':
      return only(isSameRecord(record, event.answer), record)
  }
}

const only = (right: boolean, record: StoredLock | undefined): readonly State[] => (right ? [{ record }] : [])

function acquired(record: StoredLock | undefined, request: AcquireRequest, answer: AcquireResult): readonly State[] {
  const storeTime = answer.granted ? answer.lease.storeTime : answer.storeTime
  const decision = decideAcquire(record, request, storeTime)
  if (decision.outcome === 'refuse') {
    return only(!answer.granted && answer.reason === decision.reason && isSameRecord(record, answer.record), record)
  }
  if (decision.outcome === 'granted-before') {
    return only(answer.granted && isSameLease(record, answer.lease, true), record)
  }
  const told = answer.granted ? answer.lease : givenBack(request, answer)
  if (!told) return []
  const granted = { ...decision.next, fencingToken: told.fencingToken, lockedAt: told.acquiredAt, lockUntil: NEVER }
  return only(told.fencingToken > (record?.fencingToken ?? 0), granted)
}

/**
 * A store that takes several steps for a grant may find it given back, by its own owner, before it can answer: "held", as to any late duplicate.
 * Nobody waits for that answer any more.
 */
function givenBack(
  request: AcquireRequest,
  { record }: Refused,
): Pick<Lease, 'fencingToken' | 'acquiredAt'> | undefined {
  if (record?.lockedBy !== releasedHolderOf(request)) return undefined
  return { fencingToken: record.fencingToken, acquiredAt: record.lockedAt }
}

const isSameLease = (record: StoredLock | undefined, lease: Lease | undefined, expected: boolean): boolean =>
  expected
    ? lease?.fencingToken === record?.fencingToken && lease?.acquiredAt === record?.lockedAt
    : lease === undefined

const isSameRecord = (expected: StoredLock | undefined, actual: LockRecord | undefined): boolean =>
  isDeepStrictEqual(plain(expected), plain(stateOf(actual).record))

const plain = (lock: StoredLock | undefined) =>
  lock && [lock.lockedBy, lock.lockedAt, lock.lockUntil, lock.fencingToken, lock.lastTick, lock.tickDone, lock.metadata]

const timeless = (lock: StoredLock, now: number): StoredLock => ({
  ...lock,
  lockUntil: lock.lockUntil > now ? NEVER : OVER,
})
