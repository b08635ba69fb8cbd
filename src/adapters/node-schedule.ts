import { type LockedFunction, lockedBy } from '../locked/locked.ts'
import { isNodeScheduleJob } from '../locked/schedulers.ts'

/**
 * `locked` for node-schedule 1 and 2: node-schedule hands the job's nominal time to its function, and that is the tick, so that each runs once in the
 * whole cluster. A job that is invoked by hand (`job.invoke()`) gets no time: it is for no tick, and only under the lock. Any other call
 * without a time is refused, unless the options name its tick.
 *
 * @example
 * scheduleJob('0 2 * * *', locked({ locker, name: 'report', lockAtMostFor: '10m' }, report))
 */
export const locked: LockedFunction = lockedBy((self, [fireDate]) => {
  if (fireDate instanceof Date) return fireDate
  return isNodeScheduleJob(self) ? 'by-hand' : undefined
})
