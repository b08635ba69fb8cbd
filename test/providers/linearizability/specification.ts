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
import type { Interval, Outcome } from './search.ts'

/** One request about one name, and its answer. */
export type Event = Interval &
  (
    | {
        readonly verb: 'acquire'
        readonly request: AcquireRequest
        readonly answer: AcquireResult
        /** A grant was written, and something else is going to be answered. */
        readonly granted?: boolean
      }
    | { readonly verb: 'extend'; readonly request: ExtendRequest; readonly answer: Lease | undefined }
    | { readonly verb: 'release'; readonly request: ReleaseRequest; readonly answer: boolean }
    | { readonly verb: 'forceRelease'; readonly answer: boolean }
    | { readonly verb: 'read'; readonly answer: LockRecord | undefined }
  )

/** A lock, and when the answer came that it was freed by force, if that is how its lease ended. */
type Lock = StoredLock & { readonly freedAt?: number }

/** The record, if there is one. Its lease ends never, or is over: nothing here depends on when. */
export interface State {
  readonly record: Lock | undefined
}

const NEVER = Number.POSITIVE_INFINITY
const OVER = Number.NEGATIVE_INFINITY
const HALF_AN_HOUR_MS = 1_800_000

/** JSON knows no infinity. */
export const keyOf = ({ record }: State): string => `${record?.lockUntil} ${JSON.stringify(record)}`

/** The state as it was read. */
export const stateOf = (record: LockRecord | undefined): State => {
  if (!record) return { record }
  const { storeTime, ...lock } = record
  return { record: timeless(lock, storeTime) }
}

type Step = (state: State, event: Event) => readonly Outcome<Event, State>[]

/**
 * What there may be after an event: nothing if a lock in this state would have answered otherwise.
 *
 * @param inSteps whether the provider writes a grant, and then reads what came of it. By that time its own owner may have given it back (a caller
 * that waits no longer does that), or somebody freed it by force, so that the answer is what the record as it is then gives. Such a provider's
 * commands read the clock when they begin, and may wait for the record: an extension or a release that began before the lock was freed by force is
 * decided by a moment at which its lease had not ended.
 */
export const stepOf =
  ({ inSteps }: { readonly inSteps: boolean }): Step =>
  ({ record }, event) => {
    switch (event.verb) {
      case 'acquire': {
        const outcomes = acquired(record, event.request, event.answer)
        const granted = inSteps && !event.granted ? grantedUnseen(record, event) : undefined
        return granted ? [...outcomes, granted] : outcomes
      }
      case 'extend':
        return seenBy(event, record, inSteps).flatMap((lock) => extended(lock, event))
      case 'release':
        return seenBy(event, record, inSteps).flatMap((lock) => released(lock, event))
      case 'forceRelease': {
        const held = record?.lockUntil === NEVER
        return only(
          event.answer === held,
          record && { ...record, lockUntil: OVER, ...(held && { freedAt: event.until }) },
        )
      }
      case 'read':
        return asRecord(record, event.answer)
    }
  }

/** The lock as a change may see it: as it is, or as it was when the change began. */
const seenBy = ({ from }: Interval, record: Lock | undefined, inSteps: boolean): readonly (Lock | undefined)[] =>
  inSteps && record?.freedAt !== undefined && from < record.freedAt
    ? [record, { ...record, lockUntil: NEVER }]
    : [record]

function extended(record: Lock | undefined, event: Extract<Event, { verb: 'extend' }>) {
  const next = decideExtend(record, event.request, record?.lockedAt ?? 0)
  return next ? asLease(record, event.answer) : only(event.answer === undefined, record)
}

function released(record: Lock | undefined, event: Extract<Event, { verb: 'release' }>) {
  const now = record?.lockedAt ?? 0
  const { released, next } = decideRelease(record, event.request, now)
  return only(event.answer === released, next ? timeless(next, now) : record)
}

const only = (right: boolean, record: Lock | undefined): readonly Outcome<Event, State>[] =>
  right ? [{ state: { record } }] : []

function acquired(
  record: StoredLock | undefined,
  request: AcquireRequest,
  answer: AcquireResult,
): readonly Outcome<Event, State>[] {
  const decision = decideAcquire(record, request, answer.granted ? answer.lease.storeTime : answer.storeTime)
  if (decision.outcome === 'refuse') {
    return !answer.granted && answer.reason === decision.reason ? asRecord(record, answer.record) : []
  }
  if (!answer.granted) return []
  if (decision.outcome === 'granted-before') return asLease(record, answer.lease)
  const { fencingToken, acquiredAt } = answer.lease
  const granted = { ...decision.next, fencingToken, lockedAt: acquiredAt, lockUntil: NEVER }
  return only(fencingToken > (record?.fencingToken ?? 0), granted)
}

/** A token that nobody was told: higher than the last, and not whole, as no real one is. */
const unseenAfter = (record: StoredLock | undefined): number => Math.floor(record?.fencingToken ?? 0) + 0.5
const isUnseen = (record: StoredLock): boolean => !Number.isInteger(record.fencingToken)

/** The grant was written, but is not what will be answered. */
function grantedUnseen(
  record: StoredLock | undefined,
  event: Extract<Event, { verb: 'acquire' }>,
): Outcome<Event, State> | undefined {
  const { request, answer } = event
  const decision = decideAcquire(record, request, answer.granted ? answer.lease.storeTime : answer.storeTime)
  if (decision.outcome !== 'grant') return undefined
  const granted = { ...decision.next, fencingToken: unseenAfter(record), lockUntil: NEVER }
  return { state: { record: granted }, rest: { ...event, granted: true } }
}

/** Where the lease is that of the record; by it one learns the token of a grant that was not seen before. */
const asLease = (record: StoredLock | undefined, lease: Lease | undefined): readonly Outcome<Event, State>[] => {
  if (!record || !lease) return []
  const known = seen(record, lease.fencingToken, lease.acquiredAt)
  return only(known.fencingToken === lease.fencingToken && known.lockedAt === lease.acquiredAt, known)
}

/** Where the record is as it was read, but for its end. */
function asRecord(record: StoredLock | undefined, read: LockRecord | undefined): readonly Outcome<Event, State>[] {
  const actual = stateOf(read).record
  const known = record && actual ? seen(record, actual.fencingToken, actual.lockedAt) : record
  return only(isDeepStrictEqual(plain(known), plain(actual)), known)
}

const seen = (record: StoredLock, fencingToken: number, lockedAt: number): StoredLock =>
  isUnseen(record) && fencingToken > record.fencingToken ? { ...record, fencingToken, lockedAt } : record

const plain = (lock: StoredLock | undefined) =>
  lock && [lock.lockedBy, lock.lockedAt, lock.lockUntil, lock.fencingToken, lock.lastTick, lock.tickDone, lock.metadata]

/**
 * Leases here last an hour from some moment of the history, or are over. A store that reads its clock when a command begins may see what another
 * command, which began a moment later, has ended by then: so what ends within the moment is over.
 */
const timeless = (lock: StoredLock, now: number): StoredLock => ({
  ...lock,
  lockUntil: lock.lockUntil > now + HALF_AN_HOUR_MS ? NEVER : OVER,
})
