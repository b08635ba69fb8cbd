import { type LockedFunction, lockedBy } from '../locked/locked.ts'
import { EARLY } from '../locked/nominal-tick.ts'

/** The small part of a `Cron` that is used here. */
interface CronerJob {
  previousRuns(count: number, before: Date): readonly Date[]
  getOnce?(): Date | null
}

/**
 * `locked` for croner 11: croner hands the job to its function, and the latest tick of its pattern is the call's tick, so that each runs once in
 * the whole cluster. A job without a `timezone` goes by the machine's, which has to be the same on all nodes.
 *
 * @example
 * new Cron('0 2 * * *', locked({ locker, name: 'report', lockAtMostFor: '10m' }, report))
 */
export const locked: LockedFunction = lockedBy((_, [job]) => (isJob(job) ? tickOf(job) : undefined))

function tickOf(job: CronerJob): Date | undefined {
  const once = job.getOnce?.()
  if (once) return once
  const now = Date.now() + EARLY
  // croner looks for ticks before a moment, in whole seconds; a tick at that very moment counts here.
  return job.previousRuns(1, new Date(Math.floor(now / 1000) * 1000 + 1000))[0]
}

const isJob = (value: unknown): value is CronerJob =>
  typeof value === 'object' && value !== null && 'previousRuns' in value && typeof value.previousRuns === 'function'
