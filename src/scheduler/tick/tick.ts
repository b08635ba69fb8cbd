import type { JobEvent, RunKind } from '../events.ts'
import type { Job } from '../job.ts'

/** One tick of one job that this node is after. */
export interface Tick {
  readonly job: Job
  readonly kind: RunKind
  /** Its nominal time. */
  readonly time: number
}

export const jobEvent = ({ job, kind, time }: Tick): JobEvent => ({ job: job.name, kind, scheduledAt: new Date(time) })

/** A tick to be requested until some moment (monotonic). */
export interface TickRequest {
  readonly tick: Tick
  readonly until: number
}
