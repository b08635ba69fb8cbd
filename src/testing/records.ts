import assert from 'node:assert/strict'
import type { StoredRecord } from './subject.ts'

/** How far two readings of one time may lie apart, in ms: stores keep it in whole milliseconds, or as what is left of it. */
export const ROUNDING_MS = 5

/** Two readings of one time are the same but for rounding. */
export function assertTime(actual: number, expected: number, message: string): void {
  const apart = actual - expected
  assert.ok(Math.abs(apart) <= ROUNDING_MS, `${message}: ${actual} is ${apart} ms off ${expected}`)
}

/** A reading of a time lies between two others but for rounding. */
export function assertWithin(actual: number, from: number, to: number, message: string): void {
  const within = actual >= from - ROUNDING_MS && actual <= to + ROUNDING_MS
  assert.ok(within, `${message} must be from ${from} to ${to}, but is ${actual}`)
}

/** Two records are the same but for rounding. */
export function assertSameRecord(actual: StoredRecord, expected: StoredRecord, message: string): void {
  assert.deepEqual(withoutTimes(actual), withoutTimes(expected), message)
  assertTime(actual.lockUntil, expected.lockUntil, `${message}: lockUntil`)
  assertTime(actual.lockedAt, expected.lockedAt, `${message}: lockedAt`)
}

const withoutTimes = ({ lockedBy, fencingToken, lastTick, tickDone, metadata, paused }: StoredRecord): object => ({
  lockedBy,
  fencingToken,
  lastTick,
  tickDone,
  metadata,
  paused: paused ?? false,
})
