export type { Clock, Timer } from './clock.ts'
export type { Duration } from './duration.ts'
export {
  ErrNotObtained,
  type ErrorCode,
  InvalidOptionError,
  isInvalidOption,
  isLockLost,
  isLockNotHeld,
  isNotObtained,
  isStoreError,
  LockLostError,
  LockNotHeldError,
  type RefusalDetails,
  type RefusalReason,
  StoreError,
  TicklockError,
} from './errors.ts'
export { Lock } from './lock/lock.ts'
export type { LockOptions } from './lock/lock-options.ts'
export { exponentialBackoff, limitRetry, linearBackoff, noRetry, type RetryStrategy } from './lock/retry.ts'
export { assertLocked, currentLock } from './locker/current-lock.ts'
export {
  type LockedContext,
  Locker,
  type LockerOptions,
  type Outcome,
  type RanOutcome,
  type RefusedOutcome,
  type WithLockOptions,
} from './locker/locker.ts'
export type { Logger } from './logger.ts'
export type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Granted,
  Lease,
  LockProvider,
  LockRecord,
  PauseRequest,
  Refused,
  ReleaseRequest,
} from './provider/contract.ts'
export type { AnyListener, Listener, Unsubscribe } from './scheduler/emitter.ts'
export type {
  AcquiredEvent,
  ClockSkewEvent,
  EventName,
  ExtendedEvent,
  FailedEvent,
  FutureTickEvent,
  JobEvent,
  LeaseEvent,
  LostEvent,
  MissedEvent,
  PauseEvent,
  ReleasedEvent,
  RunKind,
  ScheduleErrorEvent,
  SchedulerEvents,
  SkippedEvent,
  StartedEvent,
  StoreErrorEvent,
  SucceededEvent,
  TickEvent,
} from './scheduler/events.ts'
export type { JobContext, JobWork } from './scheduler/job.ts'
export type { JobInfo } from './scheduler/job-info.ts'
export type { CatchUpWindow, JobDefaults, JobOptions } from './scheduler/job-options.ts'
export type { ScheduleOptions } from './scheduler/plan/schedule.ts'
export { Scheduler } from './scheduler/scheduler.ts'
export type { SchedulerOptions, StopOptions } from './scheduler/scheduler-options.ts'
export type { TriggerOutcome } from './scheduler/tick/trigger.ts'
