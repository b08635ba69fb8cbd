import { randomUUID } from 'node:crypto'
import { onAbort } from '../abort.ts'
import { sleep } from '../clock.ts'
import { show } from '../duration.ts'
import { ErrNotObtained, InvalidOptionError, type RefusalDetails } from '../errors.ts'
import type { Refused } from '../provider/contract.ts'
import { labelOf } from '../provider/holder.ts'
import { Acquisition, type Grant } from './acquisition.ts'
import { Lock } from './lock.ts'
import type { CheckedLockOptions } from './lock-options.ts'
import type { Store } from './provider-client.ts'

/** What a store is asked with, besides the options of the lock. */
export interface Asker {
  readonly store: Store
  readonly label: string
  /** In ms. */
  readonly maxClockSkew: number
}

/** Begins an acquisition: a fresh owner for these options, and for their tick or another one. */
export function beginAcquisition(
  { store, label, maxClockSkew: longest }: Asker,
  options: CheckedLockOptions,
  tick = options.tick,
  maxClockSkew = longest,
): Acquisition {
  const { name, lockAtMostFor, onCrash, metadata, mark } = options
  const owner = newOwner(mark)
  return new Acquisition(store, { name, owner, label, lockAtMostFor, tick, onCrash, maxClockSkew, metadata })
}

/** A random owner, with the mark at its end if there is one. */
export const newOwner = (mark: string | undefined): string =>
  mark === undefined ? randomUUID() : `${randomUUID().slice(9)}.${mark}`

/** Takes a grant of an acquisition into use. */
export function takeLock({ store }: Asker, options: CheckedLockOptions, acquisition: Acquisition, grant: Grant): Lock {
  acquisition.take()
  const waited = store.clock.monotonic() - acquisition.beganAt
  return new Lock(store, { request: acquisition.request, lockAtLeastFor: options.lockAtLeastFor, waited }, grant)
}

/** A lock that was not granted, and why the wait for it ended if a signal did that. */
export interface Refusal {
  readonly details: RefusalDetails
  readonly cause?: unknown
}

/**
 * Obtains, waiting as the options' strategy says. See `Locker.obtain`.
 *
 * @throws {ErrNotObtained}
 */
export async function obtain(asker: Asker, options: CheckedLockOptions): Promise<Lock> {
  const answer = await attempt(asker, options)
  if (answer instanceof Lock) return answer
  throw new ErrNotObtained(options.name, answer.details, 'cause' in answer ? { cause: answer.cause } : undefined)
}

/** As {@link obtain}, but answers a refusal: most ticks of a cluster are refused, and an error with its stack is dear. */
export async function attempt(asker: Asker, options: CheckedLockOptions): Promise<Lock | Refusal> {
  const { store } = asker
  const { name, signal } = options
  const acquisition = beginAcquisition(asker, options)
  let details: RefusalDetails = { reason: 'held' }
  try {
    for (let refusals = 1; ; refusals++) {
      if (signal?.aborted) return { details, cause: signal.reason }
      const ask = acquisition.ask(Math.min(store.timeout, options.lockAtMostFor))
      const answer = signal ? await untilAborted(signal, ask) : await ask
      // Aborted: the acquisition is abandoned below, and gives back what it may yet be granted.
      if (answer === undefined) continue
      if (answer.granted) return takeLock(asker, options, acquisition, answer)
      details = detailsOf(answer)
      // A tick that was granted, or lies too far ahead, is not to be had by waiting.
      const pause = answer.reason === 'held' ? checkPause(options.retry?.(refusals), name) : undefined
      if (pause === undefined) return { details }
      await sleep(store.clock, pause, signal).catch(() => {})
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

/** The promise's outcome, or `undefined` as soon as the signal aborts. */
async function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T | undefined> {
  promise.catch(() => {}) // nobody may be left to hear of it
  let forget = (): void => {}
  const aborted = new Promise<undefined>((resolve) => {
    forget = onAbort(signal, () => resolve(undefined))
  })
  try {
    return await Promise.race([aborted, promise])
  } finally {
    forget()
  }
}
