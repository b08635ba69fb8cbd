import { InvalidOptionError } from '../errors.ts'
import { type LockedFunction, lockedBy } from '../locked/locked.ts'
import { latestTick } from '../locked/nominal-tick.ts'

type NextDate = (start: Date, timeZone?: string) => { valueOf(): number }

/** The small part of a `CronTime` of the package `cron` 2 to 4 that is used here. Times are those of luxon. */
export interface CronTime {
  readonly source: unknown
  readonly realDate?: boolean
  readonly timeZone?: string | undefined
  /** The same in cron 2. */
  readonly zone?: string | undefined
  readonly utcOffset?: number | undefined
  readonly getNextDateFrom?: NextDate
  /** The same in cron 2.0 and 2.1. */
  readonly _getNextDateFrom?: NextDate
}

const isCronTime = (value: CronTime | undefined): value is CronTime =>
  typeof (value?.getNextDateFrom ?? value?._getNextDateFrom) === 'function'

/** The tick that a job calls for right now: the latest of its own pattern, in its own zone. */
export function tickOfCronTime(cronTime: CronTime): Date | undefined {
  const { source, realDate, utcOffset } = cronTime
  // A Date, or a time of luxon.
  if (realDate) return new Date(Number(source))
  const zone = zoneOf(cronTime) ?? (utcOffset === undefined ? undefined : offsetZone(utcOffset))
  const next = (cronTime.getNextDateFrom ?? cronTime._getNextDateFrom) as NextDate
  return latestTick((after) => {
    try {
      return new Date(Number(next.call(cronTime, after, zone)))
    } catch {
      return undefined // It has no more ticks.
    }
  }, Date.now())
}

/** The job's own zone, if it has one. */
export const zoneOf = ({ timeZone, zone }: CronTime): string | undefined => timeZone ?? zone

/** In luxon's words; `utcOffset` is in minutes. */
function offsetZone(utcOffset: number): string {
  const two = (part: number): string => String(part).padStart(2, '0')
  const minutes = Math.abs(utcOffset)
  return `UTC${utcOffset < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`
}

/**
 * `locked` for the package `cron` 2 to 4: the latest tick of the job's own pattern is the call's tick, so that each runs once in the whole cluster. The
 * job is the call's `this`; one that has a `context` of its own hides it, and so does a function in between (`onTick: () => run()`): such a call
 * is refused, unless the options name its tick.
 *
 * @example
 * CronJob.from({ cronTime: '0 2 * * *', onTick: locked({ locker, name: 'report', lockAtMostFor: '10m' }, report), start: true })
 */
export const locked: LockedFunction = lockedBy((self) => {
  const { cronTime } = (self ?? {}) as { readonly cronTime?: CronTime }
  if (isCronTime(cronTime)) return tickOfCronTime(cronTime)
  if (self === undefined || self === null || cronTime) return undefined
  throw new InvalidOptionError(
    'locked: the job has a context of its own, so its pattern is not known here: give locked() the option cron with it, and timezone',
  )
})
