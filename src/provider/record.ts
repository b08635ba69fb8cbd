/*
 * A record as a store returned it: checked, or repaired. Every store that reads records passes them through here, so that a value
 * of a wrong type or out of range fails the request for its name, and no other.
 */
import { show } from '../duration.ts'
import { StoreError } from '../errors.ts'
import type { LockRecord, UnreadableRecord } from './contract.ts'
import { nextFencingToken, type StoredLock } from './decide.ts'

/** The values of a record as a driver returns them. A value that the store doesn't have is null or undefined. */
export type RawLock = { readonly [Key in keyof StoredLock]?: unknown }

/** The last instant that a `Date` can hold, in ms since the epoch. */
export const LAST_INSTANT = 8.64e15

/**
 * The record, when every value is one that a lock can have.
 *
 * @throws {StoreError} which names the record, the value and the remedy.
 */
export function checkLock(raw: RawLock): StoredLock {
  const problem = problemOf(raw)
  if (problem !== undefined) throw unreadable(String(raw.name), problem)
  return toLock(raw)
}

/** The record of values that a lock can have. */
const toLock = (raw: RawLock): StoredLock => ({
  name: String(raw.name),
  lockedBy: String(raw.lockedBy),
  lockedAt: Number(raw.lockedAt),
  lockUntil: Number(raw.lockUntil),
  fencingToken: Number(raw.fencingToken),
  lastTick: isMissing(raw.lastTick) ? undefined : Number(raw.lastTick),
  tickDone: raw.tickDone === true,
  metadata: isMissing(raw.metadata) ? undefined : String(raw.metadata),
  paused: raw.paused === true,
})

/** Whether every value is one that a lock can have. */
export const isReadable = (raw: RawLock): boolean => problemOf(raw) === undefined

/** A record as `read` returns it. */
export function readRecord(raw: RawLock, storeTime: number): LockRecord | UnreadableRecord {
  const problem = problemOf(raw)
  if (problem === undefined) return { ...toLock(raw), storeTime }
  const name = String(raw.name)
  return { name, unreadable: unreadable(name, problem), storeTime }
}

/** The error of a request for a name whose record can't be read. `problem` completes "its record can't be read: …". */
export const unreadable = (name: string, problem: string, options?: ErrorOptions): StoreError =>
  new StoreError(
    `the record of lock ${JSON.stringify(name)} can't be read: ${problem}; repair it with: ticklock reset ${shellWord(name)}`,
    options,
  )

/** Whether `read` returned a record that can't be read. */
export const isUnreadable = (record: LockRecord | UnreadableRecord): record is UnreadableRecord =>
  'unreadable' in record

/** The record with every value replaced that a lock can't have. A name that was never readable is free, and no old tick runs again. */
export function repairLock(name: string, raw: RawLock, now: number): StoredLock {
  const tickLost = !isMissing(raw.lastTick) && !isTime(raw.lastTick)
  return {
    name,
    lockedBy: typeof raw.lockedBy === 'string' ? raw.lockedBy : '',
    lockedAt: isTime(raw.lockedAt) ? Number(raw.lockedAt) : now,
    lockUntil: isTime(raw.lockUntil) ? Number(raw.lockUntil) : now,
    fencingToken: isToken(raw.fencingToken) ? Number(raw.fencingToken) : nextFencingToken(0, now),
    lastTick: tickLost ? Math.floor(now) : isMissing(raw.lastTick) ? undefined : Number(raw.lastTick),
    tickDone: tickLost || raw.tickDone === true,
    metadata: typeof raw.metadata === 'string' ? raw.metadata : undefined,
    paused: raw.paused === true,
  }
}

function problemOf(raw: RawLock): string | undefined {
  const wrong = (what: string, value: unknown, expected: string): string =>
    `${what} must be ${expected}, but is ${show(value)}`
  if (!isTime(raw.lockUntil)) return wrong('lockUntil', raw.lockUntil, 'a time')
  if (!isTime(raw.lockedAt)) return wrong('lockedAt', raw.lockedAt, 'a time')
  if (typeof raw.lockedBy !== 'string') return wrong('lockedBy', raw.lockedBy, 'a string')
  if (!isToken(raw.fencingToken)) return wrong('fencingToken', raw.fencingToken, 'an integer from 0 to 2^53 - 2')
  if (!isMissing(raw.lastTick) && !isTime(raw.lastTick)) return wrong('lastTick', raw.lastTick, 'a time or nothing')
  if (typeof raw.tickDone !== 'boolean') return wrong('tickDone', raw.tickDone, 'true or false')
  if (!isMissing(raw.metadata) && typeof raw.metadata !== 'string')
    return wrong('metadata', raw.metadata, 'a string or nothing')
  if (!isMissing(raw.paused) && typeof raw.paused !== 'boolean')
    return wrong('paused', raw.paused, 'true, false or nothing')
  return undefined
}

const isMissing = (value: unknown): boolean => value === undefined || value === null

const isTime = (value: unknown): boolean =>
  (typeof value === 'number' || typeof value === 'bigint') && Math.abs(Number(value)) <= LAST_INSTANT

/** The next one must be exact, too. */
const isToken = (value: unknown): boolean =>
  (typeof value === 'number' || typeof value === 'bigint') &&
  Number.isSafeInteger(Number(value) + 1) &&
  Number(value) >= 0

/** Sorts by name, as `read` returns records: in the order of their UTF-16 units, the same in every store. */
export const compareNames = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : 1

/** A name as a shell takes it. */
export const shellWord = (name: string): string =>
  /^[\w./:@-]+$/.test(name) && !name.startsWith('-') ? name : `'${name.replaceAll("'", "'\\''")}'`
