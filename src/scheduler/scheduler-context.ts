import type { Clock } from '../clock.ts'
import type { Asker } from '../lock/obtain.ts'
import { isOfOneRequest } from '../lock/store-errors.ts'
import type { Logger } from '../logger.ts'
import type { StoreReach } from './clock/store-availability.ts'
import type { StoreClock } from './clock/store-clock.ts'
import type { Emitter } from './emitter.ts'
import type { JobEvent, RunKind, StoreErrorEvent } from './events.ts'
import type { Job } from './job.ts'
import type { RequestOrder } from './spread/request-order.ts'

/** A run of a job on this node that has not ended. */
export interface RunUnderWay {
  readonly firedAt: Date
  /** Aborts the signal of the job's function. */
  abort(reason: unknown): void
}

/** What the parts of one scheduler share. */
export interface Engine {
  readonly clock: Clock
  readonly time: StoreClock
  readonly reach: StoreReach
  readonly asker: Asker
  readonly events: Emitter
  readonly order: RequestOrder
  readonly logger: Logger
  /** From 0 to below 1; spreads asks, decides nothing. */
  readonly random: () => number
  /** Aborts when the scheduler begins to stop: nothing new is begun, waits end. */
  readonly stopping: AbortSignal
  /** Aborts when the grace of the stop has passed: what is granted from then on is given back, and no run may go on. */
  readonly closing: AbortSignal
  /** The runs under way, by the names of their jobs: also of a job that was removed meanwhile, and perhaps registered anew. */
  readonly runs: Map<string, RunUnderWay>
  /** By the name of a job: the latest tick that ran here. */
  readonly ran: Map<string, number>
  /** Keeps the scheduler from having stopped while this goes on. The promise must not reject. */
  track(work: Promise<unknown>): void
  /** Has a tick asked for again when it is due: the store has refused it as too early. */
  putBack(tick: Tick): void
  /** Says that ticks of this job passed without having been asked for. */
  owe(job: Job): void
}

/** One tick of one job that this node is after. */
export interface Tick {
  readonly job: Job
  readonly kind: RunKind
  /** Its nominal time. */
  readonly time: number
}

export const factsOf = ({ job, kind, time }: Tick): JobEvent => ({ job: job.name, kind, scheduledAt: new Date(time) })

export function tellStoreError(
  engine: Engine,
  action: StoreErrorEvent['action'],
  job: string | undefined,
  error: unknown,
): void {
  // One bad record leaves the node ready: the store responded.
  if (!isOfOneRequest(error)) engine.reach.failed(engine.time.now())
  engine.events.emit('store-error', () => ({ job, action, error }))
}
