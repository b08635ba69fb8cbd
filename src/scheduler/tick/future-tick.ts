import { MAX_CLOCK_SKEW } from '../../lock/lock-options.ts'
import type { LockRecord, Refused } from '../../provider/contract.ts'
import type { Job } from '../job.ts'
import type { SchedulerContext } from '../scheduler-context.ts'

/**
 * By how many ms a record's last tick lies ahead of the store's clock, when that is more than `maxClockSkew`; else undefined. No tick of
 * such a name runs before then. A node's clock was once ahead, or the store's clock went back.
 */
export function futureTickOf(record: LockRecord, maxClockSkew = MAX_CLOCK_SKEW): number | undefined {
  const ahead = (record.lastTick ?? Number.NEGATIVE_INFINITY) - record.storeTime
  return ahead > maxClockSkew ? ahead : undefined
}

/** Emits `future-tick` when a tick was refused because the last one lies in the future: once for each such last tick. */
export function emitFutureTick(
  { acquireContext, events }: SchedulerContext,
  job: Job,
  { reason, record }: Refused,
): void {
  const ahead = record && futureTickOf(record, acquireContext.maxClockSkew)
  if (record?.lastTick === undefined || ahead === undefined) {
    job.futureTick = undefined
    return
  }
  const known = job.futureTick
  job.futureTick = record.lastTick
  if (reason !== 'tick-taken' || known === record.lastTick) return
  const lastTick = new Date(record.lastTick)
  events.emit('future-tick', () => ({ job: job.name, lastTick, ahead }))
}
