import { type Duration, parseDuration, show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { checkKeys, checkMetadata, checkName, checkOneOf } from '../options.ts'
import type { RetryStrategy } from './retry.ts'

/** The default of `maxClockSkew`, in ms. */
export const MAX_CLOCK_SKEW = 60_000

/** The options of a lock. */
export interface LockOptions {
  /**
   * The lease's length: if the holder crashes, others are blocked for at most so long. From 1 ms to 100 years. Choose it well above
   * the longest time that the work takes, or renew with `keepAlive`.
   */
  readonly lockAtMostFor: Duration
  /**
   * The lock stays taken for at least so long from its acquisition, by the store's clock, even if it is released sooner. At most
   * `lockAtMostFor`.
   * @default 0
   */
  readonly lockAtLeastFor?: Duration | undefined
  /** How to wait while somebody else has the lock. @default noRetry() */
  readonly retry?: RetryStrategy | undefined
  /** Ends the wait: `ErrNotObtained` then has the signal's reason as its `cause`. */
  readonly signal?: AbortSignal | undefined
  /** A string of at most 4,096 characters, kept in the store with the lock for people to read. */
  readonly metadata?: string | undefined
  /**
   * The tick that the lock is for. It is granted once in the life of the name: a tick that is not later than the last one granted
   * is refused with `reason: 'tick-taken'`.
   */
  readonly tick?: Date | undefined
  /**
   * What a expired lease means that nobody released. `'skip'`: its tick is over. `'rerun'`: the tick may be obtained
   * once more.
   * @default 'skip'
   */
  readonly onCrash?: 'skip' | 'rerun' | undefined
}

export const LOCK_OPTIONS = [
  'lockAtMostFor',
  'lockAtLeastFor',
  'retry',
  'signal',
  'metadata',
  'tick',
  'onCrash',
] as const

/** Lock options after they were checked, once: durations in ms. */
export interface CheckedLockOptions {
  readonly name: string
  readonly lockAtMostFor: number
  readonly lockAtLeastFor: number
  readonly retry: RetryStrategy | undefined
  readonly signal: AbortSignal | undefined
  readonly metadata: string | undefined
  readonly tick: number | undefined
  readonly onCrash: 'skip' | 'rerun' | undefined
  /** Ends the owner of each acquisition; at most 17 characters, or the holder would be too long for its column. */
  readonly mark?: string | undefined
}

/**
 * @throws {InvalidOptionError} that names the lock, the option and the value.
 */
export function checkLockOptions(
  lockName: unknown,
  options: LockOptions,
  known: readonly string[] = LOCK_OPTIONS,
): CheckedLockOptions {
  const name = checkName(lockName)
  const of = `lock ${JSON.stringify(name)}`
  checkKeys(options, known, of)
  const lease = checkLease(options, of)
  checkOneOf(options.onCrash, ['skip', 'rerun'], of, 'onCrash')
  if (options.retry !== undefined && typeof options.retry !== 'function') {
    throw new InvalidOptionError(
      `${of}: retry must be a retry strategy such as linearBackoff('100ms'), but is ${show(options.retry)}`,
    )
  }
  const tick = checkTick(options.tick, of)
  const { retry, signal, onCrash } = options
  return { name, ...lease, retry, signal, metadata: checkMetadata(options.metadata, of), tick, onCrash }
}

/** Checks the two lengths together. `of` is what they belong to, for the message. */
export function checkLease(
  options: { readonly lockAtMostFor?: Duration | undefined; readonly lockAtLeastFor?: Duration | undefined },
  of: string,
): { readonly lockAtMostFor: number; readonly lockAtLeastFor: number } {
  const lockAtMostFor = parseDuration(options.lockAtMostFor, { of, option: 'lockAtMostFor', min: 1 })
  const lockAtLeastFor = parseDuration(options.lockAtLeastFor ?? 0, { of, option: 'lockAtLeastFor' })
  if (lockAtLeastFor <= lockAtMostFor) return { lockAtMostFor, lockAtLeastFor }
  throw new InvalidOptionError(
    `${of}: lockAtLeastFor must not be longer than lockAtMostFor, but is ${show(options.lockAtLeastFor)} with a lockAtMostFor of ${show(options.lockAtMostFor)}`,
  )
}

function checkTick(tick: unknown, of: string): number | undefined {
  if (tick === undefined) return undefined
  const time = tick instanceof Date ? tick.getTime() : Number.NaN
  if (time >= 0) return time
  throw new InvalidOptionError(`${of}: tick must be a valid Date from 1970 on, but is ${show(tick)}`)
}
