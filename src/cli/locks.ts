import { systemClock, within } from '../clock.ts'
import { openStore, type StorePlan } from '../config/store.ts'
import { StoreError } from '../errors.ts'
import type { LockProvider, LockRecord } from '../provider/contract.ts'
import { hasReleased, labelOf } from '../provider/holder.ts'
import { isUnreadable } from '../provider/record.ts'
import { futureTickOf } from '../scheduler/tick/future-tick.ts'

/** A lock as people want to know it. Times by the store's clock. */
export interface LockStatus {
  readonly name: string
  readonly store: string
  /**
   * `held`; `kept`: its holder has released, `lockAtLeastFor` is not over; `crashed`: its lease expired and nobody
   * released; `free`.
   */
  readonly state: 'held' | 'kept' | 'crashed' | 'free'
  /** The last holder. */
  readonly holder: string
  readonly since: Date
  readonly until: Date
  readonly lastTick: Date | undefined
  /** Whether the last tick lies in the future, so that no tick runs until then. */
  readonly isAhead: boolean
  readonly fencingToken: number
  readonly metadata: string | undefined
  readonly storeTime: Date
}

/** A lock whose record can't be read. */
export interface UnreadableLock {
  readonly name: string
  readonly store: string
  readonly state: 'unreadable'
  /** What is wrong, and the remedy. */
  readonly problem: string
}

/** How long a store is waited for, in ms. */
const TIMEOUT = 10_000

/** Opens a store, works with it, and closes it. */
export async function withStore<T>(store: StorePlan, work: (provider: LockProvider) => Promise<T>): Promise<T> {
  const provider = await openStore(store)
  const late = (): StoreError => new StoreError(`it did not answer within ${TIMEOUT / 1_000} s`)
  try {
    return await within(systemClock, TIMEOUT, work(provider), late)
  } catch (cause) {
    throw failureOf(store, cause)
  } finally {
    await Promise.race([provider.close().catch(() => {}), new Promise((resolve) => setTimeout(resolve, 1_000).unref())])
  }
}

/** An error of a store, with the store's name and place. */
export const failureOf = (store: StorePlan, cause: unknown): StoreError =>
  new StoreError(`${store.kind.name} at ${store.shown}: ${whyOf(cause)}`, { cause })

/** What an error says; some drivers put it into the errors that it is made of. */
export function whyOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return whyOf(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  const own = error.message || (error as { code?: string }).code || error.name
  const cause = error.cause instanceof Error ? whyOf(error.cause) : undefined
  return cause !== undefined && !own.includes(cause) ? `${own} (${cause})` : own
}

/** The locks of a store, or those of these names, in order of their names. */
export const readLocks = (store: StorePlan, names?: readonly string[]): Promise<(LockStatus | UnreadableLock)[]> =>
  withStore(store, async (provider) =>
    (await provider.read(names)).map((record) =>
      isUnreadable(record)
        ? { name: record.name, store: store.name, state: 'unreadable', problem: record.unreadable.message }
        : statusOf(record, store),
    ),
  )

function statusOf(record: LockRecord, { name: store, maxClockSkew }: StorePlan): LockStatus {
  const { name, lockedBy, lockedAt, lockUntil, lastTick, tickDone, fencingToken, metadata, storeTime } = record
  const released = hasReleased(lockedBy)
  const taken = lockUntil > storeTime
  const state = taken ? (released ? 'kept' : 'held') : lastTick !== undefined && !tickDone ? 'crashed' : 'free'
  return {
    name,
    store,
    state,
    holder: labelOf(lockedBy),
    since: new Date(lockedAt),
    until: new Date(lockUntil),
    lastTick: lastTick === undefined ? undefined : new Date(lastTick),
    isAhead: futureTickOf(record, maxClockSkew) !== undefined,
    fencingToken,
    metadata,
    storeTime: new Date(storeTime),
  }
}
