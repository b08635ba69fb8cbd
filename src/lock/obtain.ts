import { randomUUID } from 'node:crypto'
import { sleep } from '../clock.ts'
import { show } from '../duration.ts'
import { ErrNotObtained, InvalidOptionError, type RefusalDetails } from '../errors.ts'
import type { Refused } from '../provider/contract.ts'
import { labelOf } from '../provider/holder.ts'
import { Acquisition } from './acquisition.ts'
import { Lock } from './lock.ts'
import { noRetry } from './retry.ts'
import type { Store } from './store.ts'
import type { CheckedLockOptions } from './terms.ts'

/** What a store is asked with, besides the options of the lock. */
export interface Asker {
  readonly store: Store
  readonly label: string
  /** In ms. */
  readonly maxClockSkew: number
}

/** Begins an acquisition: a fresh owner for these options. */
export function beginAcquisition({ store, label, maxClockSkew }: Asker, options: CheckedLockOptions): Acquisition {
  const { name, lockAtMostFor, tick, onCrash, metadata } = options
  const owner = randomUUID()
  return new Acquisition(store, { name, owner, label, lockAtMostFor, tick, onCrash, maxClockSkew, metadata })
}

/** Obtains, waiting as the options' strategy says. See `Locker.obtain`. */
export async function obtain(asker: Asker, options: CheckedLockOptions): Promise<Lock> {
  const { store } = asker
  const { name, lockAtLeastFor, signal } = options
  const retry = options.retry ?? noRetry()
  const acquisition = beginAcquisition(asker, options)
  try {
    for (let refusals = 1; ; refusals++) {
      const answer = await untilAborted(signal, name, acquisition.ask(Math.min(store.timeout, options.lockAtMostFor)))
      if (answer.granted) {
        acquisition.take()
        return new Lock(store, { request: acquisition.request, lockAtLeastFor }, answer)
      }
      const refusal = detailsOf(answer)
      // A tick that was granted, or lies too far ahead, is not to be had by waiting.
      const pause = answer.reason === 'held' ? checkPause(retry(refusals), name) : undefined
      if (pause === undefined) throw new ErrNotObtained(name, refusal)
      await untilAborted(signal, name, sleep(store.clock, pause, signal), refusal)
    }
  } finally {
    acquisition.abandon()
  }
}

/** What is known about a refusal, as events and errors tell it. */
export function detailsOf({ reason, record }: Refused): RefusalDetails {
  const held = record && record.lockUntil > record.storeTime
  return {
    reason,
    heldBy: record && labelOf(record.lockedBy),
    heldUntil: held ? new Date(record.lockUntil) : undefined,
  }
}

function checkPause(pause: number | undefined, name: string): number | undefined {
  if (pause === undefined || (typeof pause === 'number' && pause >= 0 && pause < Number.POSITIVE_INFINITY)) return pause
  throw new InvalidOptionError(
    `lock ${JSON.stringify(name)}: retry must answer ms from 0, or undefined to give up, but answered ${show(pause)}`,
  )
}

/** The promise's outcome, or `ErrNotObtained` with the signal's reason as its cause as soon as the signal aborts. */
async function untilAborted<T>(
  signal: AbortSignal | undefined,
  name: string,
  promise: Promise<T>,
  refusal: RefusalDetails = { reason: 'held' },
): Promise<T> {
  if (!signal) return promise
  promise.catch(() => {})
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new ErrNotObtained(name, refusal, { cause: signal.reason }))
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([aborted, promise])
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort)
  }
}
