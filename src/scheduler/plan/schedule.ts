import { type Duration, parseDuration } from '../../duration.ts'
import { InvalidOptionError } from '../../errors.ts'
import { cronKey, cronSchedule, type Ticks } from './cron-schedule.ts'

/** Says when a job ticks, from the schedule alone: the same on every node, whenever it is asked. Times are ms since the epoch. */
export interface Schedule extends Ticks {
  /** Two schedules with the same key have the same ticks. */
  readonly key: string
  /** What it was made from; `every` in ms. */
  readonly source: ScheduleSource
}

export interface ScheduleSource {
  readonly cron: string | undefined
  readonly timezone: string | undefined
  readonly every: number | undefined
}

export interface ScheduleOptions {
  /**
   * A cron pattern in croner's dialect: 5 fields, 6 with seconds, 7 with years, or a nickname such as `@daily`. A job with a fixed time
   * (one value each for second, minute and hour) runs once a day: when daylight saving skips its time it runs at the end of the gap, also when that is on the next
   * day; when its time comes twice it runs the first time. Other jobs don't run in the gap, and run both times.
   */
  readonly cron?: string | undefined
  /** The time zone of `cron`, as in `'Europe/Berlin'`. Never the machine's, or nodes would differ. @default 'UTC' */
  readonly timezone?: string | undefined
  /** Ticks at whole multiples of this length since the epoch (UTC), so that all nodes agree. From 10 ms. */
  readonly every?: Duration | undefined
}

/**
 * Reads a schedule. `of` is the job it belongs to, for the message. `known` answers the schedule with that key, if there is one: a
 * `Cron` costs 45 KB, and jobs that share a schedule share it.
 *
 * @throws {InvalidOptionError} unless exactly one of `cron` and `every` is given and well formed.
 */
export function readSchedule(
  options: ScheduleOptions,
  of: string,
  known: (key: string) => Schedule | undefined = () => undefined,
): Schedule {
  const { cron, timezone, every } = options
  if ((cron === undefined) === (every === undefined)) {
    throw new InvalidOptionError(
      `${of}: give exactly one of cron and every, not ${cron === undefined ? 'none' : 'both'}`,
    )
  }
  if (every === undefined) {
    const given = timezone === undefined ? 'UTC' : timezone
    return known(cronKey(cron, given)) ?? cronSchedule(cron, given, of)
  }
  if (timezone !== undefined) throw new InvalidOptionError(`${of}: timezone goes with cron, not with every`)
  const length = parseDuration(every, { of, option: 'every', min: 10 })
  return known(everyKey(length)) ?? intervalSchedule(length)
}

/** The ticks after `after` and up to `time`, the last `count` of them, oldest first. */
export function ticksBetween(schedule: Schedule, after: number, time: number, count: number): number[] {
  // Most often there are few, and a look back costs half a millisecond a tick: it reaches further in steps that grow.
  for (let step = Math.min(4, count); ; step = Math.min(step * 4, count)) {
    const ticks = schedule.last(step, time)
    const oldest = ticks[0]
    if (step >= count || ticks.length < step || oldest === undefined || oldest <= after)
      return ticks.filter((tick) => tick > after)
  }
}

function intervalSchedule(every: number): Schedule {
  const next = (time: number): number => (Math.floor(time / every) + 1) * every
  return {
    key: everyKey(every),
    source: { cron: undefined, timezone: undefined, every },
    next,
    last(count, time) {
      const newest = next(time) - every
      return Array.from({ length: count }, (_, index) => newest - (count - 1 - index) * every).filter(
        (tick) => tick >= 0,
      )
    },
  }
}

const everyKey = (every: number): string => `every ${every}`
