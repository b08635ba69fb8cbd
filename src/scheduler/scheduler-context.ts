import type { Clock } from '../clock.ts'
import type { AcquireContext } from '../lock/obtain.ts'
import { isSingleRequestError } from '../lock/store-errors.ts'
import type { Logger } from '../logger.ts'
import type { StoreAvailability } from './clock/store-availability.ts'
import type { StoreClock } from './clock/store-clock.ts'
import type { Emitter } from './emitter.ts'
import type { StoreErrorEvent } from './events.ts'
import type { Job } from './job.ts'
import type { RunScopes } from './run-scopes.ts'
import type { RequestOrder } from './spread/request-order.ts'
import type { Tick } from './tick/tick.ts'

/** A run of a job on this node that has not ended. */
export interface ActiveRun {
  readonly firedAt: Date
  /** Aborts the signal of the job's function. */
  abort(reason: unknown): void
}

/** What the parts of one scheduler share. */
export interface SchedulerContext {
  readonly clock: Clock
  readonly storeClock: StoreClock
  readonly availability: StoreAvailability
  readonly acquireContext: AcquireContext
  readonly events: Emitter
  readonly requestOrder: RequestOrder
  readonly logger: Logger
  /** From 0 to below 1; spreads asks, decides nothing. */
  readonly random: () => number
  /** Aborts when the scheduler begins to stop: nothing new is begun, waits end. */
  readonly stopping: AbortSignal
  /** Aborts when the grace of the stop has passed: what is granted from then on is released, and no run may go on. */
  readonly closing: AbortSignal
  /** Knows from inside which runs a call comes. */
  readonly scopes: RunScopes
  /** The runs under way, by the names of their jobs: also of a job that was removed meanwhile, and perhaps registered anew. */
  readonly running: Map<string, ActiveRun>
  /** By the name of a job: the latest tick that ran here. */
  readonly lastRunTick: Map<string, number>
  /** Keeps the scheduler from having stopped while this goes on. The promise must not reject. */
  track(work: Promise<unknown>): void
  /** Has a tick requested again when it is due: the store has refused it as too early. */
  reschedule(tick: Tick): void
  /** Says that ticks of this job passed without having been requested. */
  noteMissed(job: Job): void
}

export function emitStoreError(
  context: SchedulerContext,
  action: StoreErrorEvent['action'],
  job: string | undefined,
  error: unknown,
): void {
  // One bad record leaves the node ready: the store responded.
  if (!isSingleRequestError(error)) context.availability.failed(context.storeClock.now())
  context.events.emit('store-error', () => ({ job, action, error }))
}
