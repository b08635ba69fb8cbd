/* Rows as the statements return them, and what the contract makes of them. */
import { RecordBusyError } from '../../src/errors.ts'
import type { AcquireResult, Lease, LockRecord, Settled, UnreadableRecord } from '../../src/provider/contract.ts'
import { checkLock, LAST_INSTANT, type RawLock, readRecord, unreadable } from '../../src/provider/record.ts'

/** A number as the client returns it: `pg` returns a bigint as a string, and others parse what it doesn't. */
type Numeric = number | string | bigint

export interface RecordRow {
  readonly name: string
  readonly locked_by: string | null
  readonly locked_at: Numeric | null
  readonly lock_until: Numeric | null
  readonly fencing_token: Numeric | null
  readonly last_tick: Numeric | null
  readonly tick_done: boolean | null
  readonly metadata: string | null
  readonly paused: boolean | null
  readonly store_time: Numeric
}

export interface AcquireRow extends RecordRow {
  readonly outcome: 'granted' | 'clock-ahead' | 'paused' | 'tick-taken' | 'held' | 'unreadable'
  /** Of a grant: whether it reruns a tick of another owner. */
  readonly again: boolean | null
}

export interface ExtendRow extends RecordRow {
  readonly outcome: 'extended' | 'over' | 'unreadable'
}

export interface ReleaseRow extends RecordRow {
  readonly outcome: 'released' | 'over' | 'unreadable'
}

/** The last instant that a Date holds. `infinity`, which people write to keep a lock taken, counts as that. */
export const FAR = LAST_INSTANT

/** Brings a bound in reach of PostgreSQL's timestamps, which end later than a Date's and begin sooner: 4,713 years before Christ. */
export const clamp = (ms: number): number => Math.min(Math.max(ms, -1e14), FAR)

const number = (value: Numeric | null): number | null => (value === null ? null : Number(value))

const toRaw = (row: RecordRow): RawLock => ({
  name: row.name,
  lockedBy: row.locked_by,
  lockedAt: number(row.locked_at),
  lockUntil: number(row.lock_until) === Number.POSITIVE_INFINITY ? FAR : number(row.lock_until),
  fencingToken: number(row.fencing_token),
  // Before version 14 PostgreSQL computes epochs in floating point.
  lastTick: row.last_tick === null ? undefined : Math.round(Number(row.last_tick)),
  tickDone: row.tick_done,
  metadata: row.metadata ?? undefined,
  paused: row.paused,
})

export function toRecord(row: RecordRow): LockRecord | UnreadableRecord {
  const raw = toRaw(row)
  // To a reader a missing `paused` is nothing, but the column exists.
  if (row.paused === null) return unreadableRecord(row, 'paused must be true or false, but is null')
  return readRecord(raw, Number(row.store_time))
}

const unreadableRecord = ({ name, store_time }: RecordRow, problem: string): UnreadableRecord => ({
  name,
  unreadable: unreadable(name, problem),
  storeTime: Number(store_time),
})

function toUnreadable(row: RecordRow): Error {
  const record = toRecord(row)
  return 'unreadable' in record ? record.unreadable : unreadable(row.name, 'a value is out of range')
}

const toLease = (row: RecordRow, owner: string): Lease => {
  const { name, lockedAt, lockUntil, fencingToken } = checkLock(toRaw(row))
  return { name, owner, fencingToken, acquiredAt: lockedAt, lockUntil, storeTime: Number(row.store_time) }
}

/** The result of a request for which the statement returned this row, if any. */
export function toAcquired(row: AcquireRow | undefined, name: string, owner: string): Settled<AcquireResult> {
  if (!row) return new RecordBusyError(name)
  const { outcome, locked_by, store_time } = row
  if (outcome === 'unreadable') return toUnreadable(row)
  if (outcome === 'granted') return { granted: true, lease: toLease(row, owner), rerun: row.again ?? undefined }
  if (locked_by === null) return { granted: false, reason: outcome, storeTime: Number(store_time) }
  const storeTime = Number(store_time)
  return { granted: false, reason: outcome, record: { ...checkLock(toRaw(row)), storeTime }, storeTime }
}

export function toExtended(row: ExtendRow | undefined, name: string, owner: string): Settled<Lease | undefined> {
  if (!row) return new RecordBusyError(name)
  if (row.outcome === 'unreadable') return toUnreadable(row)
  return row.outcome === 'over' ? undefined : toLease(row, owner)
}

export function toReleased(row: ReleaseRow | undefined, name: string): Settled<boolean> {
  if (!row) return new RecordBusyError(name)
  return row.outcome === 'unreadable' ? toUnreadable(row) : row.outcome === 'released'
}
