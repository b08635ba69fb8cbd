import { InvalidOptionError } from '../errors.ts'
import { type LockedFunction, lockedBy } from '../locked/locked.ts'
import { latestTick } from '../locked/nominal-tick.ts'

/** The small part of a `CronTime` of the package `cron` that is used here; times are those of luxon. */
export interface CronTime {
  readonly source: unknown
  readonly realDate?: boolean
  readonly timeZone?: string | undefined
  readonly utcOffset?: number | undefined
  getNextDateFrom(start: Date, timeZone?: string): { toJSDate(): Date }
}

/** The tick that a job calls for right now: the latest of its own pattern, in its own zone. */
export function tickOfCronTime(cronTime: CronTime): Date | undefined {
  const { source, realDate, timeZone, utcOffset } = cronTime
  if (realDate) return source instanceof Date ? source : (source as { toJSDate(): Date }).toJSDate()
  const zone = timeZone ?? (utcOffset === undefined ? undefined : offsetZone(utcOffset))
  return latestTick((after) => {
    try {
      return cronTime.getNextDateFrom(after, zone).toJSDate()
    } catch {
      return undefined // It has no more ticks.
    }
  }, Date.now())
}

/** In luxon's words; `utcOffset` is in minutes. */
function offsetZone(utcOffset: number): string {
  const two = (part: number): string => String(part).padStart(2, '0')
  const minutes = Math.abs(utcOffset)
  return `UTC${utcOffset < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`
}

/**
 * `locked` for the package `cron` 4: the latest tick of the job's own pattern is the call's tick, so that each runs once in the whole cluster. The
 * job is the call's `this`; one that has a `context` of its own hides it, and needs the option `cron` (or `tick`) here.
 *
 * @example
 * CronJob.from({ cronTime: '0 2 * * *', onTick: locked({ locker, name: 'report', lockAtMostFor: '10m' }, report), start: true })
 */
export const locked: LockedFunction = lockedBy((self) => {
  if (self === undefined || self === null) return undefined
  const { cronTime } = self as { readonly cronTime?: CronTime }
  if (cronTime && typeof cronTime.getNextDateFrom === 'function') return tickOfCronTime(cronTime)
  throw new InvalidOptionError(
    'locked: the job has a context of its own, so its pattern is not known here: give locked() the option cron with it, and timezone',
  )
})
