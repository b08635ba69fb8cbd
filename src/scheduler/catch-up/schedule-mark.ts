import { createHash } from 'node:crypto'
import type { LockRecord } from '../../provider/contract.ts'
import { RELEASED } from '../../provider/holder.ts'
import type { Schedule } from '../plan/schedule.ts'

/*
 * The owner of each lock that a scheduler takes ends with a mark: which schedule its job has, and since when a node has planned it, as far as the store shows.
 *
 *   <random>.<7 characters of a hash of the schedule><ms since the epoch, in base 36>
 *
 * It stays in the record's holder until the next grant, also after a release. By it a node that starts knows from when
 * on the ticks of its schedule count as missed: never from before the schedule changed, and from before the first run
 * of a job that was planned but never ran. With a label of 200 characters and the marker of a release the holder still
 * fits the 255 characters of ShedLock's column.
 */

const MARK = new RegExp(String.raw`#[\da-f-]{27}\.([\da-z]{7})([\da-z]{1,9})(?:${RELEASED})?$`)

/** The hash of a schedule in a mark. Thousands of jobs may share one. */
const ids = new WeakMap<Schedule, string>()

function idOf(schedule: Schedule): string {
  const known = ids.get(schedule)
  if (known !== undefined) return known
  const hash = createHash('sha256').update(schedule.key).digest('hex')
  // 36 bits of it.
  const id = Number.parseInt(hash.slice(0, 9), 16).toString(36).padStart(7, '0')
  ids.set(schedule, id)
  return id
}

export const markOf = (schedule: Schedule, since: number): string =>
  `${idOf(schedule)}${Math.max(0, Math.floor(since)).toString(36)}`

/**
 * Since when the ticks of this schedule count as missed, by the record; undefined when it was never planned, or another
 * schedule was since. A record without a mark (an older version's, a ShedLock's, of a lock taken by hand) shows it when
 * its last tick is one of this schedule.
 */
export function sinceOf({ lockedBy, lastTick }: LockRecord, schedule: Schedule): number | undefined {
  const [, id, since] = MARK.exec(lockedBy) ?? []
  if (id !== undefined && since !== undefined) return id === idOf(schedule) ? Number.parseInt(since, 36) : undefined
  if (lastTick === undefined || schedule.last(1, lastTick)[0] !== lastTick) return undefined
  return lastTick
}
