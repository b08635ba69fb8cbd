/* A record on its way: what the statements return, and what they take. */
import { StoreError } from '../../src/errors.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import type { RawLock } from '../../src/provider/record.ts'
import { notOnItsOwn } from './client.ts'
import { checkText, fromColumn, type Layout, toColumn } from './layout.ts'

/** A record as it was read. */
export interface Seen {
  /** Not checked yet: each value is one that a lock can have, or null, or the text of what is there. */
  readonly raw: RawLock
  /** What a write compares, as text: it changes only a record that still is as it was seen. */
  readonly version: string
}

/** What stands in the table for a name. */
export interface Found {
  readonly seen: Seen | undefined
  /** The store's clock, read after the record. */
  readonly now: number
}

/** A record to be made if there was none, or else to be replaced if it still is what was seen of it. */
export interface Change extends Found {
  readonly next: StoredLock
}

/** From a row in the order of the columns of {@link recordOf} in statements.ts. */
export function foundIn(name: string, row: readonly unknown[]): Found {
  const [, , autocommit, exists, lockUntil, token, tick, done, paused, lockedBy, lockedAt, metadata] = row
  // Without autocommit the first SELECT of a transaction would be answered for ever: a released lock would stay held.
  if (Number(autocommit) === 0) throw notOnItsOwn()
  const now = clockOf(row)
  if (Number(exists) === 0) return { seen: undefined, now }
  const raw = {
    name,
    lockUntil: time(lockUntil),
    lockedAt: time(lockedAt),
    lockedBy: text(lockedBy),
    fencingToken: integer(token),
    lastTick: integer(tick),
    tickDone: flag(done),
    metadata: text(metadata),
    paused: flag(paused),
  }
  const version = [lockUntil, token, tick, done, paused, lockedBy].map((value) => (value === null ? '' : String(value)))
  return { seen: { raw, version: version.join() }, now }
}

/** Longer than any statement takes to read a record, in microseconds. What seems longer is a change to or from daylight saving. */
const LONGEST_READ = 60_000_000

/** The time at which the statement began, and how long later the record had been read. */
function clockOf([began, later]: readonly unknown[]): number {
  const elapsed = Number(later)
  const micros = Number(began) + (elapsed > 0 && elapsed < LONGEST_READ ? elapsed : 0)
  if (began !== null && !Number.isNaN(micros)) return fromColumn(micros)
  throw new StoreError(`the MySQL client returned ${String(began)} where the time was expected`)
}

export const unhex = (digits: unknown): string => Buffer.from(String(digits), 'hex').toString()

/* Values come as the client's settings want: as numbers, strings, bigints or bytes. */

const text = (value: unknown): string | null => (value === null ? null : unhex(value))

function integer(value: unknown): number | string | null {
  if (value === null) return null
  const digits = String(value)
  return /^-?\d+$/.test(digits) ? Number(digits) : digits
}

function time(value: unknown): number | string | null {
  const micros = integer(value)
  return typeof micros === 'number' ? fromColumn(micros) : micros
}

function flag(value: unknown): boolean | string | null {
  const number = integer(value)
  return typeof number === 'number' ? number !== 0 : number
}

const micros = (ms: number): number => Math.round(ms * 1000)

/** The fields of a change in the order in which the statements take them. */
export const entryOf = ({ seen, next, now }: Change): readonly unknown[] => [
  next.name,
  micros(next.lockUntil),
  micros(next.lockedAt),
  next.lockedBy,
  next.fencingToken,
  next.lastTick ?? null,
  next.tickDone ? 1 : 0,
  next.metadata ?? null,
  next.paused ? 1 : 0,
  seen?.version ?? null,
  seen && typeof seen.raw.lockUntil === 'number' ? Number(seen.raw.lockUntil > now) : null,
]

/**
 * A record as the columns will hold it: a lease is rounded up, what is set free is free at once.
 *
 * @throws {StoreError} when the columns can't hold it.
 */
export function asKept(lock: StoredLock, now: number, layout: Layout): StoredLock {
  checkText(lock.lockedBy, 'locked_by', layout.lockedBy)
  if (lock.metadata !== undefined) checkText(lock.metadata, 'metadata', layout.metadata)
  return {
    ...lock,
    lockedAt: fromColumn(toColumn(lock.lockedAt, 'down', layout)),
    lockUntil: fromColumn(toColumn(lock.lockUntil, lock.lockUntil > now ? 'up' : 'down', layout)),
  }
}

/** Whether a record is this one. */
export const isSame = (seen: Seen | undefined, lock: StoredLock): boolean =>
  seen !== undefined &&
  seen.raw.lockedBy === lock.lockedBy &&
  seen.raw.fencingToken === lock.fencingToken &&
  isSameTime(seen.raw.lockUntil, lock.lockUntil) &&
  isSameTime(seen.raw.lockedAt, lock.lockedAt) &&
  (seen.raw.lastTick ?? undefined) === lock.lastTick &&
  seen.raw.tickDone === lock.tickDone &&
  (seen.raw.paused ?? false) === (lock.paused ?? false)

const isSameTime = (a: unknown, b: number): boolean => typeof a === 'number' && Math.abs(a - b) < 0.0005

/** Whether nothing happened to a record, and its lease did not end either. */
export const isUnchanged = (before: Found, after: Found): boolean =>
  before.seen?.version === after.seen?.version && isHeld(before) === isHeld(after)

const isHeld = ({ seen, now }: Found): boolean => Number(seen?.raw.lockUntil) > now
