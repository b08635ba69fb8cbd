/* A record on its way: what the statements answer, and what they take. */
import { show } from '../../src/duration.ts'
import { StoreError } from '../../src/errors.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import { notOnItsOwn } from './client.ts'
import { fromColumn, type Layout, toColumn } from './layout.ts'

/** A record to be made if there was none, or else to be replaced if it still is what was seen of it. */
export interface Change {
  readonly was: StoredLock | undefined
  readonly next: StoredLock
  /** The store's clock when `was` was read. */
  readonly seenAt: number
}

/** The fields of a record in the order of the columns, from the server's clock on. */
export function lockOf(name: string, row: readonly unknown[]): StoredLock | undefined {
  const [, autocommit, lockUntil, lockedAt, lockedBy, fencingToken, lastTick, tickDone, metadata, paused] = row
  // Without autocommit the first SELECT of a transaction would be answered for ever: a lock given back would stay held.
  if (Number(autocommit) === 0) throw notOnItsOwn()
  if (lockUntil === null) return undefined
  return {
    name,
    lockUntil: fromColumn(numberOf(lockUntil)),
    lockedAt: fromColumn(numberOf(lockedAt)),
    lockedBy: unhex(lockedBy),
    fencingToken: numberOf(fencingToken),
    lastTick: lastTick === null ? undefined : numberOf(lastTick),
    tickDone: numberOf(tickDone) !== 0,
    metadata: metadata === null ? undefined : unhex(metadata),
    paused: numberOf(paused) !== 0,
  }
}

export const clockOf = ([now]: readonly unknown[]): number => fromColumn(numberOf(now))

export const unhex = (digits: unknown): string => Buffer.from(String(digits), 'hex').toString()

/** Numbers come as the client's settings want: as numbers, texts, bigints or bytes. */
function numberOf(value: unknown): number {
  const number = Number(value)
  // What is no number would compare as false with every time, and a held lock would count as free.
  if (value === null || Number.isNaN(number)) {
    throw new StoreError(`the MySQL client answered with ${show(value)} where a number was asked for`)
  }
  return number
}

const micros = (ms: number): number => Math.round(ms * 1000)

/** The fields of a change in the order in which the statements take them. */
export const entryOf = ({ was, next, seenAt }: Change): readonly unknown[] => [
  next.name,
  micros(next.lockUntil),
  micros(next.lockedAt),
  next.lockedBy,
  next.fencingToken,
  next.lastTick ?? null,
  next.tickDone ? 1 : 0,
  next.metadata ?? null,
  next.paused ? 1 : 0,
  was ? micros(was.lockUntil) : null,
  was ? was.fencingToken : null,
  was ? was.lockedBy : null,
  was && was.lockUntil > seenAt ? 1 : 0,
  was?.paused ? 1 : 0,
]

export const asKept = (lock: StoredLock, now: number, layout: Layout): StoredLock => ({
  ...lock,
  lockedAt: fromColumn(toColumn(lock.lockedAt, 'down', layout)),
  lockUntil: fromColumn(toColumn(lock.lockUntil, lock.lockUntil > now ? 'up' : 'down', layout)),
})
