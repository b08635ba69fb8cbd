import type { Duration } from '../duration.ts'
import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { checkLockOptions } from '../lock/lock-options.ts'
import type { RetryStrategy } from '../lock/retry.ts'
import type { Locker } from '../locker/locker.ts'
import { checkBoolean, checkKeys, checkMethods, checkName, checkOneOf } from '../options.ts'
import type { OnSkip, SkipListener } from './skip.ts'

/** What a function or method that runs under a lock is wrapped with. */
export interface LockedTerms<Args extends readonly unknown[], Skipped> {
  /** The lock's name, or a function that makes it from the call's arguments (its `this` is the call's). 1 to 255 characters. */
  readonly name: string | ((...args: Args) => string)
  /** The lease's length: if this process crashes, others are blocked for at most so long. From 1 ms. */
  readonly lockAtMostFor: Duration
  /** The lock stays taken for at least so long from its acquisition, even if the call ends sooner. @default 0 */
  readonly lockAtLeastFor?: Duration | undefined
  /** Renew the lease at a third of its length while the call runs. @default false */
  readonly keepAlive?: boolean | undefined
  /**
   * What a expired lease means that nobody released: its tick is over, or may be obtained once more. @default 'skip'
   */
  readonly onCrash?: 'skip' | 'rerun' | undefined
  /** A text kept in the store with the lock for people to read. */
  readonly metadata?: string | undefined
  /** How to wait while somebody else has the lock. @default noRetry() */
  readonly retry?: RetryStrategy | undefined
  /**
   * The tick that a call is for, from its arguments; it runs once in the life of the name. `undefined` for a call that is for none. Not together with
   * `cron` and `every`.
   */
  readonly tick?: ((...args: Args) => Date | undefined) | undefined
  /** The pattern by which the function is called: the call's tick is the latest of it. In croner's dialect. */
  readonly cron?: string | undefined
  /** The time zone of `cron`. @default 'UTC' */
  readonly timezone?: string | undefined
  /** The interval at which the function is called: at most one call of the cluster runs in each window of this length since the epoch. */
  readonly every?: Duration | undefined
  /**
   * What a call comes to that is skipped: `'throw'` rejects with `ErrNotObtained`; a callback's answer is returned in place of the value.
   * @default the call returns `undefined`
   */
  readonly onSkip?: OnSkip<Skipped, Args> | undefined
  /** Hears `'skipped'` of every skip: an `EventEmitter`. What it throws changes nothing. */
  readonly events?: SkipListener | undefined
  /**
   * When the store can't be asked: `'throw'` rejects with `StoreError`; `'skip'` is a skip with the reason `'store-error'`; `'run'` runs without the
   * lock, on every node that gets there.
   * @default 'throw'
   */
  readonly onStoreError?: 'throw' | 'skip' | 'run' | undefined
}

/** {@link LockedTerms}, and where the lock is requested. */
export interface LockedOptions<Args extends readonly unknown[], Skipped> extends LockedTerms<Args, Skipped> {
  readonly locker: Locker
}

export const TERMS = [
  'name',
  'lockAtMostFor',
  'lockAtLeastFor',
  'keepAlive',
  'onCrash',
  'metadata',
  'retry',
  'tick',
  'cron',
  'timezone',
  'every',
  'onSkip',
  'events',
  'onStoreError',
]

/**
 * Checks what can be checked before the first call. Answers what the options belong to, for messages.
 *
 * @throws {InvalidOptionError} that names the lock, the option and the value.
 */
export function checkTerms(options: LockedTerms<never, unknown>, extra: readonly string[], what = 'locked'): string {
  const { name, tick, cron, every, onSkip, events, keepAlive } = options ?? {}
  const of = typeof name === 'function' ? what : `lock ${JSON.stringify(checkName(name))}`
  checkKeys(options, [...TERMS, ...extra], of)
  const { lockAtMostFor, lockAtLeastFor, onCrash, metadata, retry } = options
  checkLockOptions(typeof name === 'function' ? what : name, {
    lockAtMostFor,
    lockAtLeastFor,
    onCrash,
    metadata,
    retry,
  })
  checkBoolean(keepAlive, of, 'keepAlive')
  checkOneOf(options.onStoreError, ['throw', 'skip', 'run'], of, 'onStoreError')
  if (tick !== undefined && typeof tick !== 'function')
    throw new InvalidOptionError(`${of}: tick must be a function, but is ${show(tick)}`)
  if (tick !== undefined && (cron ?? every) !== undefined)
    throw new InvalidOptionError(`${of}: tick contradicts ${cron === undefined ? 'every' : 'cron'}; give one of them`)
  if (onSkip !== undefined && onSkip !== 'throw' && typeof onSkip !== 'function')
    throw new InvalidOptionError(`${of}: onSkip must be "throw" or a function, but is ${show(onSkip)}`)
  if (events !== undefined) checkMethods(events, ['emit'], of, 'events')
  return of
}

/** @throws {InvalidOptionError} for what is not a Locker, of this or another copy of the package. */
export function checkLocker(locker: unknown, of: string): Locker {
  checkMethods(locker, ['withLock'], of, 'locker')
  return locker as Locker
}
