import type { LockLostError, RefusalReason } from '../errors.ts'

/** What made a job run, or ask to run. */
export type RunKind =
  /** Its schedule, on time. */
  | 'schedule'
  /** A tick that passed while nobody ran it (`catchUp`, `runOnStart`). */
  | 'catch-up'
  /** A tick whose holder crashed (`onCrash: 'rerun'`). */
  | 'rerun'
  /** `scheduler.trigger()`. Takes no tick. */
  | 'trigger'

/** What every event about a job has. */
export interface JobEvent {
  readonly job: string
  readonly kind: RunKind
  /** The tick's nominal time; for a trigger, when it was called. */
  readonly scheduledAt: Date
}

/** A tick is due on this node. */
export type TickEvent = JobEvent
/** What every event about a lease has. */
export interface LeaseEvent extends JobEvent {
  readonly fencingToken: number
}
/** This node was granted the job's lock. */
export interface AcquiredEvent extends LeaseEvent {
  /** From the first ask to the grant, in ms: the store's answer, and its failures before it. */
  readonly waited: number
}
/** This node does not run this tick, and that is as it should be. */
export interface SkippedEvent extends JobEvent {
  /** `'running'`: the job still runs on this node, so the store was not asked. The others are the store's answers. */
  readonly reason: RefusalReason | 'running'
  /** Who has the lock, for people. */
  readonly heldBy: string | undefined
  /** When the holder's lease ends unless it is extended. */
  readonly heldUntil: Date | undefined
}
/** The job's function was called. */
export interface StartedEvent extends JobEvent {
  readonly firedAt: Date
  /** Undefined when it runs without its lock (`onStoreError: 'run'`). */
  readonly fencingToken: number | undefined
}
/** The job's function returned. */
export interface SucceededEvent extends StartedEvent {
  /** How long it ran, in ms. */
  readonly duration: number
}
/** The job's function threw. The lock is released, the next tick unharmed. */
export interface FailedEvent extends SucceededEvent {
  readonly error: unknown
}
/** The lease was renewed. */
export type ExtendedEvent = LeaseEvent
/** The lease was lost while the job ran: its signal has aborted. */
export interface LostEvent extends LeaseEvent {
  readonly error: LockLostError
}
/** The lock was released. */
export type ReleasedEvent = LeaseEvent
/** A tick passed without this node being able to request it in time. Another node may have run it. */
export interface MissedEvent extends JobEvent {
  /** `'store-error'`: the store failed until the tick's grace ended. `'late'`: this process was busy, paused or asleep. `'stopped'`: the scheduler was stopped. */
  readonly reason: 'store-error' | 'late' | 'stopped'
  readonly error: unknown
  /** When several ticks in a row were missed at once: the last of them. */
  readonly until: Date | undefined
}
/** A job was paused, or resumed, for the whole cluster by this node. */
export interface PauseEvent {
  readonly job: string
}
/** The store failed or did not respond in time. */
export interface StoreErrorEvent {
  /** The job of the request; undefined for what concerns all jobs. */
  readonly job: string | undefined
  readonly action: 'acquire' | 'extend' | 'release' | 'read' | 'pause' | 'close'
  readonly error: unknown
}
/** This machine's clock differs from the store's by more than a second, or does so no more. */
export interface ClockSkewEvent {
  /** By how many ms this machine is ahead (negative: behind). */
  readonly skew: number
  /** By how much that may be wrong, either way. */
  readonly uncertainty: number | undefined
}
/** The store refuses every tick of a job until `lastTick`: a node's clock was once ahead, or the store's clock went back. Emitted once for each such last tick. */
export interface FutureTickEvent {
  readonly job: string
  /** The record's last tick. */
  readonly lastTick: Date
  /** By how many ms it is ahead of the store's clock: more than `maxClockSkew`. */
  readonly ahead: number
}
/** A schedule can't go on: its next tick is not later than its last one. The job is not scheduled any more. */
export interface ScheduleErrorEvent {
  readonly job: string
  readonly error: Error
}

/** Everything that happens in a scheduler, by name. */
export interface SchedulerEvents {
  tick: TickEvent
  acquired: AcquiredEvent
  skipped: SkippedEvent
  started: StartedEvent
  succeeded: SucceededEvent
  failed: FailedEvent
  extended: ExtendedEvent
  lost: LostEvent
  released: ReleasedEvent
  missed: MissedEvent
  paused: PauseEvent
  resumed: PauseEvent
  'store-error': StoreErrorEvent
  'clock-skew': ClockSkewEvent
  'future-tick': FutureTickEvent
  'schedule-error': ScheduleErrorEvent
}

export type EventName = keyof SchedulerEvents
