/** Why a lock was not granted. */
export type RefusalReason =
  /** Another owner has an unexpired lease. */
  | 'held'
  /** The tick requested, or a later one, was granted before. */
  | 'tick-taken'
  /** The tick requested lies further ahead of the store's clock than `maxClockSkew`. */
  | 'clock-ahead'
  /** The job is paused for the whole cluster, and the lock was requested on behalf of a tick. */
  | 'paused'

/** The code of each error of ticklock, stable across versions: compare this, not the message. */
export type ErrorCode = 'NOT_OBTAINED' | 'LOCK_NOT_HELD' | 'LOCK_LOST' | 'STORE' | 'INVALID_OPTION'

/** The brand of each class of this copy of the package. */
const brands = new WeakMap<object, symbol>()

function brand(errorClass: { readonly prototype: TicklockError }, name: string, code: string): void {
  const symbol = Symbol.for(`ticklock.error.${code}`)
  Object.defineProperty(errorClass.prototype, 'name', { value: name, writable: true, configurable: true })
  Object.defineProperty(errorClass.prototype, symbol, { value: true })
  brands.set(errorClass, symbol)
}

/**
 * The base of every error that ticklock throws on purpose. `instanceof` works across two copies of the package
 * in one process, since it checks for a brand and not for the class.
 */
export abstract class TicklockError extends Error {
  abstract readonly code: ErrorCode

  static override [Symbol.hasInstance](value: unknown): boolean {
    const own = brands.get(this)
    // A class derived from one of ours by somebody else has no brand: it keeps the language's own meaning.
    if (!own) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && own in value
  }
}

brand(TicklockError, 'TicklockError', '*')

/** `ErrorOptions` by another name, which compilers with a target before ES2022 don't know. */
interface Cause {
  readonly cause?: unknown
}

/** What is known about a refusal. */
export interface RefusalDetails {
  readonly reason: RefusalReason
  /** The holder as people read it: `host:pid` for a ticklock node, whatever it wrote for another. */
  readonly heldBy?: string | undefined
  /** When the holder's lease ends unless it is extended, by the store's clock. */
  readonly heldUntil?: Date | undefined
}

/** The lock was not granted: somebody else has it, or the tick was granted before. Not a failure. */
export class ErrNotObtained extends TicklockError {
  readonly code = 'NOT_OBTAINED'
  /** The lock's name. */
  readonly lock: string
  readonly reason: RefusalReason
  readonly heldBy: string | undefined
  readonly heldUntil: Date | undefined

  constructor(lock: string, details: RefusalDetails, options?: Cause) {
    super(`lock ${JSON.stringify(lock)} was not obtained: ${describe(details)}`, options)
    this.lock = lock
    this.reason = details.reason
    this.heldBy = details.heldBy
    this.heldUntil = details.heldUntil
  }
}
brand(ErrNotObtained, 'ErrNotObtained', 'NOT_OBTAINED')

function describe({ reason, heldBy, heldUntil }: RefusalDetails): string {
  const by = heldBy === undefined ? '' : ` by ${heldBy}`
  const until = heldUntil === undefined ? '' : ` until ${heldUntil.toISOString()}`
  if (reason === 'held') return `it is held${by}${until}`
  if (reason === 'tick-taken') return `this tick, or a later one, was granted before${by && `, last${by}`}`
  if (reason === 'paused') return 'the job is paused for the whole cluster'
  return "the tick lies further ahead of the store's clock than maxClockSkew allows; check this machine's clock"
}

/** The lease behind this handle is not (or no longer) ours, so nothing was changed. */
export class LockNotHeldError extends TicklockError {
  readonly code = 'LOCK_NOT_HELD'
  /** The lock's name. */
  readonly lock: string

  constructor(lock: string, why: string, options?: Cause) {
    super(`lock ${JSON.stringify(lock)} is not held: ${why}`, options)
    this.lock = lock
  }
}
brand(LockNotHeldError, 'LockNotHeldError', 'LOCK_NOT_HELD')

/** The reason with which a lease's `AbortSignal` aborts when the lease is lost while work is under way. */
export class LockLostError extends TicklockError {
  readonly code = 'LOCK_LOST'
  /** The lock's name. */
  readonly lock: string

  constructor(lock: string, why: string, options?: Cause) {
    super(`lock ${JSON.stringify(lock)} was lost: ${why}`, options)
    this.lock = lock
  }
}
brand(LockLostError, 'LockLostError', 'LOCK_LOST')

/**
 * The store failed or did not respond in time, so whether the lock is free is unknown. `cause` has the store's own
 * error.
 */
export class StoreError extends TicklockError {
  readonly code = 'STORE'
}
brand(StoreError, 'StoreError', 'STORE')

/**
 * Another transaction has locked the record, so the store did not decide this request. The core repeats it until the request's
 * deadline; only then does a caller see this error.
 */
export class RecordBusyError extends StoreError {
  constructor(lock: string, options?: ErrorOptions) {
    super(
      `another transaction has locked the record of ${JSON.stringify(lock)}; end that transaction, such as an open BEGIN in a database console`,
      options,
    )
  }
}
brand(RecordBusyError, 'RecordBusyError', 'RECORD_BUSY')

/** An option is wrong, unknown, or contradicts another. The message names the option, what was expected and what came. */
export class InvalidOptionError extends TicklockError {
  readonly code = 'INVALID_OPTION'
}
brand(InvalidOptionError, 'InvalidOptionError', 'INVALID_OPTION')

/** True for {@link ErrNotObtained}, also one made by another copy of the package. */
export const isNotObtained = (error: unknown): error is ErrNotObtained => error instanceof ErrNotObtained
/** True for {@link LockNotHeldError}, also one made by another copy of the package. */
export const isLockNotHeld = (error: unknown): error is LockNotHeldError => error instanceof LockNotHeldError
/** True for {@link LockLostError}, also one made by another copy of the package. */
export const isLockLost = (error: unknown): error is LockLostError => error instanceof LockLostError
/** True for {@link StoreError}, also one made by another copy of the package. */
export const isStoreError = (error: unknown): error is StoreError => error instanceof StoreError
/** True for {@link RecordBusyError}, also one made by another copy of the package. */
export const isRecordBusy = (error: unknown): error is RecordBusyError => error instanceof RecordBusyError
/** True for {@link InvalidOptionError}, also one made by another copy of the package. */
export const isInvalidOption = (error: unknown): error is InvalidOptionError => error instanceof InvalidOptionError
