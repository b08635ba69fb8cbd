export type { Clock, Timer } from './clock.ts'
export type { Duration } from './duration.ts'
export {
  ErrLockNotHeld,
  ErrNotObtained,
  type ErrorCode,
  InvalidOptionError,
  isInvalidOption,
  isLockLost,
  isLockNotHeld,
  isNotObtained,
  isStoreError,
  LockLostError,
  type RefusalDetails,
  type RefusalReason,
  StoreError,
  TicklockError,
} from './errors.ts'
export { assertLocked, currentLock } from './executor/current-lock.ts'
export {
  type LockedContext,
  Locker,
  type LockerOptions,
  type Outcome,
  type RanOutcome,
  type RefusedOutcome,
  type WithLockOptions,
} from './executor/locker.ts'
export { Lock } from './lock/lock.ts'
export { exponentialBackoff, limitRetry, linearBackoff, noRetry, type RetryStrategy } from './lock/retry.ts'
export type { LockOptions } from './lock/terms.ts'
export type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Granted,
  Lease,
  LockProvider,
  LockRecord,
  Refused,
  ReleaseRequest,
} from './provider/contract.ts'
