import type { AnyMethod } from '../../decorators/form.ts'
import { type LockedDecoratorFactory, lockedDecorator } from '../../decorators/locked.ts'
import { type CronNote, nestNotes } from '../../decorators/nest-notes.ts'
import { nominalTick } from '../../locked/nominal-tick.ts'
import type { TickOfCall } from '../../locked/tick-of-call.ts'
import { type CronTime, tickOfCronTime, zoneOf } from '../cron.ts'

/** The small part of `SchedulerRegistry` of `@nestjs/schedule` that is used here. */
export interface CronJobs {
  getCronJobs(): Map<string, { readonly cronTime: CronTime }>
}

// A key of the instance that it concerns.
const CRON_JOBS = Symbol.for('ticklock.nestjs.cron-jobs')

/** Lets a class's locked methods find the cron jobs that call them. */
export function rememberCronJobs(instance: object, jobs: CronJobs): void {
  Object.defineProperty(instance, CRON_JOBS, { value: jobs, configurable: true })
}

/**
 * Runs a method that `@nestjs/schedule` calls under a lock: stands beside `@Cron`, `@Interval` or `@Timeout`, in either order, or on any other async
 * method of a provider or controller. The options are those of `@Locked`; the locker is the module's.
 *
 * Beside `@Cron`, the latest tick of its pattern is the call's tick, so that each runs once in the whole cluster, and beside `@Interval` one call
 * runs in each window of its length since the epoch. `@Timeout` has no tick: there only the lock excludes, and `lockAtLeastFor` is needed, longer than
 * the nodes' starts are apart. Beside none of them it needs `cron`, `every`, `tick` or `lockAtLeastFor`; for calls that are no ticks there is `@Locked`.
 *
 * @example
 * ＠Cron('0 2 * * *')
 * ＠SchedulerLock({ name: 'report', lockAtMostFor: '10m' })
 * async report() { … }
 */
export const SchedulerLock = ((options: Parameters<LockedDecoratorFactory>[0]) =>
  lockedDecorator('SchedulerLock', options as never, tickOf)) as LockedDecoratorFactory

function tickOf(self: unknown, method: AnyMethod): TickOfCall {
  const { cron, interval } = nestNotes(method)
  if (cron) return tickOfCron(self, cron)
  return interval?.timeout ? nominalTick({ every: interval.timeout }, '@Interval')?.() : 'no-schedule'
}

function tickOfCron(self: unknown, note: CronNote): Date | undefined {
  const { name, cronTime, timeZone, utcOffset } = note
  const jobs = (self as { readonly [CRON_JOBS]?: CronJobs } | undefined)?.[CRON_JOBS]?.getCronJobs()
  const same = ({ cronTime: own }: { readonly cronTime: CronTime }): boolean =>
    own.source === cronTime && zoneOf(own) === timeZone && own.utcOffset === utcOffset
  // The job's own reckoning of its pattern comes before ours: they may differ when clocks change for daylight saving.
  const job = (name === undefined ? undefined : jobs?.get(name)) ?? [...(jobs?.values() ?? [])].find(same)
  if (job) return tickOfCronTime(job.cronTime)
  if (cronTime instanceof Date) return cronTime
  const timezone = timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  return nominalTick({ cron: String(cronTime), timezone }, '@Cron')?.()
}
