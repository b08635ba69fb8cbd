/* A lock's record as the JSON object that a versioned store keeps. */
import type { StoredLock } from '../decide.ts'
import { checkLock, type RawLock, unreadable } from '../record.ts'

/** A record as it was read, with values that nobody has checked. */
export interface DecodedLock {
  readonly raw: RawLock
  /** When the record was last written: the store's clock was at least this. Undefined where the value is none. */
  readonly changedAt: number | undefined
  /** What is wrong with the string as a whole. */
  readonly problem: string | undefined
}

/** @param changedAt when the write was decided, at the earliest */
export const encodeLock = ({ name: _, ...lock }: StoredLock, changedAt: number): string =>
  JSON.stringify({ ...lock, changedAt })

export function decodeLock(name: string, value: string): DecodedLock {
  const fields = parseObject(value)
  // A last tick that is no time: a repair then takes all ticks up to the present for done.
  if (!fields) return { raw: { name, lastTick: Number.NaN }, changedAt: undefined, problem: 'it is no JSON object' }
  const { changedAt } = fields
  return {
    raw: { ...fields, name },
    changedAt: typeof changedAt === 'number' ? changedAt : undefined,
    problem: undefined,
  }
}

/** @throws {StoreError} when a value is one that no lock can have. */
export function readableLock({ raw, problem }: DecodedLock): StoredLock {
  if (problem !== undefined) throw unreadable(String(raw.name), problem)
  return checkLock(raw)
}

function parseObject(value: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(value)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
