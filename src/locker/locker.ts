import { type Clock, systemClock } from '../clock.ts'
import { type Duration, parseDuration } from '../duration.ts'
import type { RefusalReason } from '../errors.ts'
import { checkLabel, defaultLabel } from '../lock/label.ts'
import { Lock } from '../lock/lock.ts'
import { checkLockOptions, LOCK_OPTIONS, type LockOptions, MAX_CLOCK_SKEW } from '../lock/lock-options.ts'
import { type AcquireContext, obtain, tryObtain } from '../lock/obtain.ts'
import { ProviderClient } from '../lock/provider-client.ts'
import { checkBoolean, checkKeys, checkMethods } from '../options.ts'
import type { LockProvider } from '../provider/contract.ts'
import { runLocked } from './run-locked.ts'

export interface LockerOptions {
  /** Where the locks are kept. */
  readonly provider: LockProvider
  /** How this process is called in the store, for people: 1 to 200 characters. Decides nothing. @default `host:pid` */
  readonly label?: string | undefined
  /** The longest wait for one response of the store, and never longer than the lease requested. @default '5s' */
  readonly storeTimeout?: Duration | undefined
  /** A tick further ahead of the store's clock is refused with `reason: 'clock-ahead'`. @default '60s' */
  readonly maxClockSkew?: Duration | undefined
  /** Where time comes from, for tests. @default the machine's clocks */
  readonly clock?: Clock | undefined
}

const LOCKER_OPTIONS = ['provider', 'label', 'storeTimeout', 'maxClockSkew', 'clock']

/** The methods that every provider has. */
export const PROVIDER_METHODS = ['acquire', 'extend', 'release', 'read', 'forceRelease', 'reset', 'prune', 'close']

export interface WithLockOptions extends LockOptions {
  /** The lock's name. */
  readonly name: string
  /** Renew the lease at a third of its length while the work runs. @default false */
  readonly keepAlive?: boolean | undefined
}

/** What work gets that runs under a lock. */
export interface LockedContext {
  readonly lock: Lock
  readonly fencingToken: number
  /** Aborts with `LockLostError` when the lease is lost, or with its reason when the signal of the options aborts. */
  readonly signal: AbortSignal
}

/** What came of `withLock`: tells "did not run" from "ran and returned undefined". */
export type Outcome<T> = RanOutcome<T> | RefusedOutcome

export interface RanOutcome<T> {
  readonly ran: true
  readonly value: T
  /** True when the lease was lost before the work ended: somebody else may have run meanwhile. */
  readonly lost: boolean
}

export interface RefusedOutcome {
  readonly ran: false
  readonly reason: RefusalReason
  readonly heldBy: string | undefined
  readonly heldUntil: Date | undefined
}

const WITH_LOCK_OPTIONS = [...LOCK_OPTIONS, 'name', 'keepAlive']

/**
 * Obtains named locks. Holds no connection and no state of its own, so make as many as you like over one provider.
 *
 * @throws {InvalidOptionError} from the constructor and from each call for a wrong option; it names the lock, the option and the value.
 */
export class Locker {
  readonly #asker: AcquireContext

  constructor(options: LockerOptions) {
    const of = 'Locker'
    checkKeys(options, LOCKER_OPTIONS, of)
    const { provider, clock = systemClock } = options
    checkMethods(provider, PROVIDER_METHODS, of, 'provider')
    const timeout = parseDuration(options.storeTimeout ?? '5s', { of, option: 'storeTimeout', min: 1 })
    this.#asker = {
      client: new ProviderClient({ provider, clock, timeout }),
      label: options.label === undefined ? defaultLabel() : checkLabel(options.label, of),
      maxClockSkew: parseDuration(options.maxClockSkew ?? MAX_CLOCK_SKEW, { of, option: 'maxClockSkew' }),
    }
  }

  /**
   * Obtains the lock for a duration (`lockAtMostFor`), or as the options say.
   *
   * @throws {ErrNotObtained} when somebody else has it (after waiting, if a retry strategy is given), or its tick was granted before.
   * @throws {StoreError} when the store failed or did not respond in time; then nobody knows whether the lock is free.
   */
  async obtain(name: string, options: Duration | LockOptions): Promise<Lock> {
    return obtain(this.#asker, checkLockOptions(name, given(options)))
  }

  /** As {@link Locker.obtain}, but `undefined` in place of `ErrNotObtained`. */
  async tryObtain(name: string, options: Duration | LockOptions): Promise<Lock | undefined> {
    const answer = await tryObtain(this.#asker, checkLockOptions(name, given(options)))
    return answer instanceof Lock ? answer : undefined
  }

  /**
   * Obtains the lock, runs the work under it, and releases it whatever comes of the work. Answers whether it ran and
   * what it returned. Rejects with whatever the work throws. A store that fails at the release changes no outcome: the
   * lock is released later, or expires.
   *
   * @throws {StoreError} when the lock could not be requested; the work did not run then.
   */
  async withLock<T>(
    options: WithLockOptions,
    work: (context: LockedContext) => T | PromiseLike<T>,
  ): Promise<Outcome<T>> {
    const checked = checkLockOptions(options?.name, options, WITH_LOCK_OPTIONS)
    checkBoolean(options.keepAlive, `lock ${JSON.stringify(checked.name)}`, 'keepAlive')
    const lock = await tryObtain(this.#asker, checked)
    if (!(lock instanceof Lock)) {
      const { reason, heldBy, heldUntil } = lock.details
      return { ran: false, reason, heldBy, heldUntil }
    }
    const context = { lock, fencingToken: lock.fencingToken, signal: either(lock.signal, checked.signal) }
    const value = await runLocked(lock, { keepAlive: options.keepAlive ?? false }, () => work(context))
    return { ran: true, value, lost: lock.lost !== undefined }
  }
}

const given = (options: Duration | LockOptions): LockOptions =>
  typeof options === 'object' ? options : { lockAtMostFor: options }

const either = (lost: AbortSignal, callers: AbortSignal | undefined): AbortSignal =>
  callers ? AbortSignal.any([lost, callers]) : lost
