import { show } from '../../duration.ts'
import { InvalidOptionError } from '../../errors.ts'
import { isDaily, readPattern } from './cron-pattern.ts'
import { WallClock } from './wall-clock.ts'

/** When something ticks. Times are ms since the epoch. */
export interface Ticks {
  /** The first tick after `time`, or `undefined` when there is none any more. */
  next(time: number): number | undefined
  /** The last `count` ticks at or before `time`, oldest first. */
  last(count: number, time: number): number[]
}

/** A schedule of a cron pattern. @throws {InvalidOptionError} that names the option and the value. */
export function cronSchedule(pattern: unknown, timezone: unknown, of: string) {
  if (typeof pattern !== 'string')
    throw new InvalidOptionError(`${of}: cron must be a pattern, but is ${show(pattern)}`)
  if (typeof timezone !== 'string' || !isTimezone(timezone)) {
    throw new InvalidOptionError(
      `${of}: timezone must be a name such as 'Europe/Berlin' or 'UTC', but is ${show(timezone)}`,
    )
  }
  // A fixed offset costs croner a twelfth of a zone, for which it calls Intl several times a tick.
  const inUtc = timezone === 'UTC' || isDaily(pattern)
  const ticks = cronerTicks(pattern, inUtc ? { utcOffset: 0 } : { timezone }, of)
  return {
    key: cronKey(pattern, timezone),
    source: { cron: pattern.trim(), timezone, every: undefined },
    ...remembered(timezone !== 'UTC' && inUtc ? dailyTicks(ticks, new WallClock(timezone)) : ticks),
  }
}

export const cronKey = (pattern: unknown, timezone: unknown): string =>
  `cron ${String(pattern).trim()} ${String(timezone)}`

function cronerTicks(pattern: string, zone: { timezone: string } | { utcOffset: number }, of: string): Ticks {
  const cron = readPattern(pattern, zone, of)
  return {
    next: (time) => cron.nextRun(new Date(time))?.getTime(),
    // croner looks for runs before a moment; a tick at that very moment counts here.
    last: (count, time) =>
      cron
        .previousRuns(count, new Date(Math.floor(time / 1000) * 1000 + 1000))
        .map((date) => date.getTime())
        .filter((tick) => tick <= time)
        .reverse(),
  }
}

/** No wall clock was ever set back by more, in ms. */
const LONGEST_SET_BACK = 25 * 3_600_000

/**
 * The ticks of a pattern with one time a day, whose wall times are these: each at the first instant at which the clocks show its time or a later one. So a time that
 * is skipped ticks at the end of the gap, also when that is on another date, where croner has no tick.
 */
function dailyTicks(walls: Ticks, clock: WallClock): Ticks {
  return {
    next(time) {
      for (let wall = walls.next(clock.at(time)); wall !== undefined; wall = walls.next(wall)) {
        const tick = clock.firstInstant(wall)
        // Where the clocks were set back, this wall time may have come before.
        if (tick > time) return tick
      }
      return undefined
    },
    last(count, time) {
      const ticks: number[] = []
      // The clocks may have shown a later time before this instant.
      let [wall] = walls.last(1, clock.at(time) + LONGEST_SET_BACK)
      for (; wall !== undefined && ticks.length < count; [wall] = walls.last(1, wall - 1)) {
        const tick = clock.firstInstant(wall)
        // A gap of a whole day ends with the tick of the next one.
        if (tick <= time && tick !== ticks.at(-1)) ticks.push(tick)
      }
      return ticks.reverse()
    },
  }
}

/** Remembers the next tick for all times before it, and from when on, and up to when, there is none: a pattern that never ticks costs croner up to 75 ms. */
function remembered({ next, last }: Ticks): Ticks {
  let [from, tick, noneFrom, noneUpTo]: [number, number, number, number] = [0, 0, Infinity, -Infinity]
  return {
    next(time) {
      if (time >= noneFrom) return undefined
      if (time >= from && time < tick) return tick
      const found = next(time)
      if (found === undefined) noneFrom = time
      else [from, tick] = [time, found]
      return found
    },
    last(count, time) {
      const until = Math.min(time, noneFrom)
      if (until <= noneUpTo) return []
      const found = last(count, until)
      if (found.length === 0) noneUpTo = until
      return found
    },
  }
}

function isTimezone(timezone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone })
    return true
  } catch {
    return false
  }
}
