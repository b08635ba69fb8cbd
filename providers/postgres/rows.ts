/* Rows as the statements answer them, and what the contract makes of them. */
import type { AcquireResult, Lease, LockRecord } from '../../src/provider/contract.ts'

/** A number as the client gives it: `pg` gives a bigint as text, and others parse what it doesn't. */
type Numeric = number | string | bigint

/** A lease that was granted now. */
export interface GrantRow {
  readonly name: string
  readonly locked_at: Numeric
  readonly lock_until: Numeric
  readonly fencing_token: Numeric
}

/** A lease of ours. */
export interface LeaseRow extends GrantRow {
  readonly locked_by: string
  readonly store_time: Numeric
}

export interface RecordRow extends LeaseRow {
  readonly last_tick: Numeric | null
  readonly tick_done: boolean
  readonly metadata: string | null
  readonly paused: boolean
}

/** A record, or null in each of its columns but `name` and `store_time`. */
export type AcquireRow =
  | (RecordRow & { readonly outcome: 'granted' | 'clock-ahead' | 'paused' | 'tick-taken' | 'held' })
  | { readonly name: string; readonly outcome: 'clock-ahead'; readonly locked_by: null; readonly store_time: Numeric }

/** The last moment that a Date holds. `infinity`, which people write to keep a lock taken, counts as that. */
export const FAR = 8.64e15

const time = (value: Numeric): number => Math.min(Number(value), FAR)

const lease = (row: GrantRow, owner: string, storeTime: Numeric): Lease => ({
  name: row.name,
  owner,
  fencingToken: Number(row.fencing_token),
  acquiredAt: time(row.locked_at),
  lockUntil: time(row.lock_until),
  storeTime: time(storeTime),
})

export const toLease = (row: LeaseRow, owner: string): Lease => lease(row, owner, row.store_time)
export const toGrant = (row: GrantRow, owner: string): Lease => lease(row, owner, row.locked_at)

export const toRecord = (row: RecordRow): LockRecord => ({
  name: row.name,
  lockedBy: row.locked_by,
  lockedAt: time(row.locked_at),
  lockUntil: time(row.lock_until),
  fencingToken: Number(row.fencing_token),
  // Before version 14 PostgreSQL computes epochs in floating point.
  lastTick: row.last_tick === null ? undefined : Math.round(time(row.last_tick)),
  tickDone: row.tick_done,
  metadata: row.metadata ?? undefined,
  paused: row.paused,
  storeTime: time(row.store_time),
})

export function toResult(row: AcquireRow, owner: string): AcquireResult {
  if (row.outcome === 'granted') return { granted: true, lease: toLease(row, owner) }
  const record = row.locked_by === null ? undefined : toRecord(row)
  return { granted: false, reason: row.outcome, record, storeTime: time(row.store_time) }
}
