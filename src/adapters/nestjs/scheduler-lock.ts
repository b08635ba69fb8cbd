import type { AnyMethod } from '../../decorators/form.ts'
import { type LockedDecoratorFactory, lockedDecorator } from '../../decorators/locked.ts'
import { nominalTick } from '../../locked/nominal-tick.ts'
import { type CronTime, tickOfCronTime } from '../cron.ts'

/** What `@Cron` and `@Interval` of `@nestjs/schedule` note about a method, under these keys of reflect-metadata. */
const CRON = 'SCHEDULE_CRON_OPTIONS'
const INTERVAL = 'SCHEDULE_INTERVAL_OPTIONS'

interface CronNote {
  readonly name?: string
  readonly cronTime?: unknown
  readonly timeZone?: string
  readonly utcOffset?: number
}

interface IntervalNote {
  readonly timeout?: number
}

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
 * runs in each window of its length since the epoch. `@Timeout` has no tick: there only the lock excludes, and `lockAtLeastFor` has to be longer than
 * the nodes' starts are apart.
 *
 * @example
 * ＠Cron('0 2 * * *')
 * ＠SchedulerLock({ name: 'report', lockAtMostFor: '10m' })
 * async report() { … }
 */
export const SchedulerLock = ((options: Parameters<LockedDecoratorFactory>[0]) =>
  lockedDecorator('SchedulerLock', options as never, tickOf)) as LockedDecoratorFactory

function tickOf(self: unknown, method: AnyMethod): Date | undefined {
  const { getMetadata } = Reflect as { getMetadata?(key: string, target: object): unknown }
  const cron = getMetadata?.(CRON, method) as CronNote | undefined
  if (cron) return tickOfCron(self, cron)
  const interval = getMetadata?.(INTERVAL, method) as IntervalNote | undefined
  return interval?.timeout ? nominalTick({ every: interval.timeout }, '@Interval')?.() : undefined
}

function tickOfCron(self: unknown, note: CronNote): Date | undefined {
  const { name, cronTime, timeZone, utcOffset } = note
  const jobs = (self as { readonly [CRON_JOBS]?: CronJobs } | undefined)?.[CRON_JOBS]?.getCronJobs()
  const same = ({ cronTime: own }: { readonly cronTime: CronTime }): boolean =>
    own.source === cronTime && own.timeZone === timeZone && own.utcOffset === utcOffset
  // The job's own reckoning of its pattern comes before ours: they may differ when clocks change for daylight saving.
  const job = (name === undefined ? undefined : jobs?.get(name)) ?? [...(jobs?.values() ?? [])].find(same)
  if (job) return tickOfCronTime(job.cronTime)
  if (cronTime instanceof Date) return cronTime
  const timezone = timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  return nominalTick({ cron: String(cronTime), timezone }, '@Cron')?.()
}
