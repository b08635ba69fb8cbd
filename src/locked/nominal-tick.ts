import { parseDuration } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { readSchedule, type ScheduleOptions } from '../scheduler/plan/schedule.ts'

/**
 * A timer may fire a little before its time by the wall clock, which is slewed while the timer runs. A call that comes so much before a tick
 * (ms) is meant for it.
 */
export const EARLY = 50

/** Answers the tick for which a scheduler calls right now: the same on every node, although each calls at another moment. */
export type NominalTick = () => Date | undefined

/**
 * The latest tick of a schedule, by this machine's clock: a scheduler fires by that clock, so a node whose clock is wrong asks at another
 * time for the same tick. `every` counts windows of that length since the epoch: whoever calls first in a window takes it.
 *
 * @throws {InvalidOptionError} for a schedule that can't be read.
 */
export function nominalTick(options: ScheduleOptions, of: string): NominalTick | undefined {
  const { cron, timezone, every } = options
  if (cron === undefined && every === undefined) {
    if (timezone === undefined) return undefined
    throw new InvalidOptionError(`${of}: timezone goes with cron, which is missing`)
  }
  const schedule = readSchedule(options, of)
  const early = every === undefined ? EARLY : Math.min(EARLY, parseDuration(every, { of, option: 'every' }) / 4)
  return () => {
    const tick = schedule.last(1, Date.now() + early)[0]
    return tick === undefined ? undefined : new Date(tick)
  }
}

const DAY = 24 * 3_600_000
/** How far back a tick is looked for, in steps (ms): most calls come within a second of theirs, and one look back costs little. */
const LOOK_BACK = [1_000, 60_000, 3_600_000, DAY, 31 * DAY, 366 * DAY]

/**
 * As {@link nominalTick}, for a library that tells only which tick comes next after a moment: the latest one that is not later than `now`.
 * A call that comes hours late, since the machine slept, is still for that tick, which another node may have run long ago.
 */
export function latestTick(next: (after: Date) => Date | undefined, now: number): Date | undefined {
  const latest = now + EARLY
  for (const back of LOOK_BACK) {
    let found: Date | undefined
    let tick = next(new Date(now - back))
    while (tick && tick.getTime() <= latest && tick.getTime() > (found?.getTime() ?? 0)) {
      found = tick
      tick = next(tick)
    }
    if (found) return found
  }
  return undefined
}
