import { type LockedFunction, lockedBy } from '../locked/locked.ts'
import { latestTick } from '../locked/nominal-tick.ts'
import { isCroner } from '../locked/schedulers.ts'

/** The small part of a `Cron` that is used here, as croner 6 to 11 have it. */
interface CronerJob {
  readonly options: object
  getPattern?(): string | undefined
  getOnce?(): Date | null
  nextRun(after: Date): Date | null
  /** Where croner before 10 keeps the date of a job that has one in place of a pattern. */
  readonly _states?: { readonly once?: { getTime(): number } | null | undefined }
}

/** The pattern of each job, free of what ends the job: its last run has a tick, too. */
const patterns = new WeakMap<object, CronerJob>()

/**
 * `locked` for croner 6 to 11: croner hands the job to its function, and the latest tick of its pattern is the call's tick, so that each runs once in
 * the whole cluster. A job without a `timezone` goes by the machine's, which has to be the same on all nodes. Give croner the wrapped function
 * itself: a call that doesn't come from croner is refused, unless the options name its tick.
 *
 * @example
 * new Cron('0 2 * * *', locked({ locker, name: 'report', lockAtMostFor: '10m' }, report))
 */
export const locked: LockedFunction = lockedBy((self, [first]) => {
  const job = [first, self].find(isCroner) as CronerJob | undefined
  return typeof job?.getPattern === 'function' ? tickOf(job) : undefined
})

function tickOf(job: CronerJob): Date | undefined {
  const once = job.getOnce?.()?.getTime() ?? job._states?.once?.getTime()
  if (once !== undefined) return new Date(once)
  let pattern = patterns.get(job)
  if (!pattern) {
    pattern = patternOf(job)
    patterns.set(job, pattern)
  }
  const { nextRun } = pattern
  return latestTick((after) => nextRun.call(pattern, after) ?? undefined, Date.now())
}

/** A job of the same croner, pattern and zone that has no function, so no timer either. */
function patternOf(job: CronerJob): CronerJob {
  const unlimited = { name: undefined, startAt: undefined, stopAt: undefined, maxRuns: undefined, interval: undefined }
  const Cron = job.constructor as new (pattern: string | undefined, options: object) => CronerJob
  return new Cron(job.getPattern?.(), { ...job.options, ...unlimited, paused: true })
}
