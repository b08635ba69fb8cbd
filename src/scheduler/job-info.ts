import type { Job } from './job.ts'
import type { ActiveRun } from './scheduler-context.ts'

/** What is known about a registered job, for people and for what watches it. Durations in ms. */
export interface JobInfo {
  readonly name: string
  readonly cron: string | undefined
  /** The time zone of `cron`. */
  readonly timezone: string | undefined
  readonly every: number | undefined
  readonly metadata: string | undefined
  readonly lockAtMostFor: number
  readonly lockAtLeastFor: number
  readonly expectEvery: number | undefined
  /** Since when it runs on this node. */
  readonly runningSince: Date | undefined
  /** The last tick in the store, while it lies in the future by more than `maxClockSkew`: until then no tick runs. As this node last heard of it. */
  readonly futureTick: Date | undefined
  /** Its first tick after this moment, by the store's clock; undefined when there is none any more. */
  readonly nextTick: Date | undefined
}

export function infoOf(job: Job, running: ActiveRun | undefined, now: number): JobInfo {
  const { name, lock, expectEvery } = job
  const next = job.schedule.next(now)
  return {
    name,
    ...job.schedule.source,
    metadata: lock.metadata,
    lockAtMostFor: lock.lockAtMostFor,
    lockAtLeastFor: lock.lockAtLeastFor,
    expectEvery,
    runningSince: running?.firedAt,
    futureTick: job.futureTick === undefined ? undefined : new Date(job.futureTick),
    nextTick: next === undefined ? undefined : new Date(next),
  }
}
