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
import type { ProviderClient } from './provider-client.ts'

/** What a store is asked with, besides the options of the lock. */
export interface AcquireContext {
  readonly client: ProviderClient
  readonly label: string
  /** In ms. */
  readonly maxClockSkew: number
}

/** Begins an acquisition: a fresh owner for these options, and for their tick or another one. */
export function beginAcquisition(
  { client, label, maxClockSkew: longest }: AcquireContext,
  options: CheckedLockOptions,
  tick = options.tick,
  maxClockSkew = longest,
): Acquisition {
  const { name, lockAtMostFor, onCrash, metadata, mark } = options
  const owner = newOwner(mark)
  return new Acquisition(client, { name, owner, label, lockAtMostFor, tick, onCrash, maxClockSkew, metadata })
}

/** A random owner, with the mark at its end if there is one. */
export const newOwner = (mark: string | undefined): string =>
  mark === undefined ? randomUUID() : `${randomUUID().slice(9)}.${mark}`

/** Takes a grant of an acquisition into use. */
export function takeLock(
  { client }: AcquireContext,
  options: CheckedLockOptions,
  acquisition: Acquisition,
  grant: Grant,
): Lock {
  acquisition.take()
  const waited = client.clock.monotonic() - acquisition.beganAt
  return new Lock(client, { request: acquisition.request, lockAtLeastFor: options.lockAtLeastFor, waited }, grant)
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
export async function obtain(context: AcquireContext, options: CheckedLockOptions): Promise<Lock> {
  const result = await tryObtain(context, options)
  if (result instanceof Lock) return result
  throw new ErrNotObtained(options.name, result.details, 'cause' in result ? { cause: result.cause } : undefined)
}

/**
 * As {@link obtain}, but answers a refusal: most ticks of a cluster are refused, and an error with its stack costs
 * much.
 */
export async function tryObtain(context: AcquireContext, options: CheckedLockOptions): Promise<Lock | Refusal> {
  const { client } = context
  const { name, signal } = options
  const acquisition = beginAcquisition(context, options)
  let details: RefusalDetails = { reason: 'held' }
  try {
    for (let refusals = 1; ; refusals++) {
      if (signal?.aborted) return { details, cause: signal.reason }
      const request = acquisition.send(Math.min(client.timeout, options.lockAtMostFor))
      const result = signal ? await untilAborted(signal, request) : await request
      // Aborted: the acquisition is abandoned below, and releases what it may yet be granted.
      if (result === undefined) continue
      if (result.granted) return takeLock(context, options, acquisition, result)
      details = detailsOf(result)
      // A tick that was granted, or lies too far ahead, is not to be had by waiting.
      const delay = result.reason === 'held' ? checkDelay(options.retry?.(refusals), name) : undefined
      if (delay === undefined) return { details }
      await sleep(client.clock, delay, signal).catch(() => {})
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

function checkDelay(delay: number | undefined, name: string): number | undefined {
  if (delay === undefined || (typeof delay === 'number' && delay >= 0 && delay < Number.POSITIVE_INFINITY)) return delay
  throw new InvalidOptionError(
    `lock ${JSON.stringify(name)}: retry must answer ms from 0, or undefined to give up, but answered ${show(delay)}`,
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
