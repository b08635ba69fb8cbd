/* What a lock of one name does, one request after another, as far as it doesn't hang on how late it is: leases here are long, or over. */
import { isDeepStrictEqual } from 'node:util'
import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  LockRecord,
  ReleaseRequest,
} from '../../../src/provider/contract.ts'
import { decideAcquire, decideExtend, decideRelease, type StoredLock } from '../../../src/provider/decide.ts'
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

export const keyOf = ({ record }: State): string => JSON.stringify(record ?? null)

/** The state as it was read. */
export const stateOf = (record: LockRecord | undefined): State => {
  if (!record) return { record }
  const { storeTime, ...lock } = record
  return { record: timeless(lock, storeTime) }
}

/** The state after the event, or undefined if a lock in this state would have answered otherwise. */
export function step({ record }: State, event: Event): State | undefined {
  switch (event.verb) {
    case 'acquire':
      return acquired(record, event.request, event.answer)
    case 'extend': {
      const next = decideExtend(record, event.request, record?.lockedAt ?? 0)
      return isSameLease(record, event.answer, next !== undefined) ? { record } : undefined
    }
    case 'release': {
      const now = record?.lockedAt ?? 0
      const next = decideRelease(record, event.request, now)
      if (event.answer !== (next !== undefined)) return undefined
      return { record: typeof next === 'object' ? timeless(next, now) : record }
    }
    case 'forceRelease': {
      const held = record?.lockUntil === NEVER
      if (event.answer !== held) return undefined
      return { record: record && { ...record, lockUntil: OVER } }
    }
    case 'read':
      return isSameRecord(record, event.answer) ? { record } : undefined
  }
}

function acquired(record: StoredLock | undefined, request: AcquireRequest, answer: AcquireResult): State | undefined {
  const storeTime = answer.granted ? answer.lease.storeTime : answer.storeTime
  const decision = decideAcquire(record, request, storeTime)
  if (decision.outcome === 'refuse') {
    const right = !answer.granted && answer.reason === decision.reason && isSameRecord(record, answer.record)
    return right ? { record } : undefined
  }
  if (!answer.granted) return undefined
  if (decision.outcome === 'granted-before') return isSameLease(record, answer.lease, true) ? { record } : undefined
  const { fencingToken, acquiredAt } = answer.lease
  if (fencingToken <= (record?.fencingToken ?? 0)) return undefined
  return { record: { ...decision.next, fencingToken, lockedAt: acquiredAt, lockUntil: NEVER } }
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
