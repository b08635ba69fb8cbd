import { newOwner } from '../../lock/obtain.ts'
import type { AcquireRequest, LockRecord } from '../../provider/contract.ts'
import type { Job } from '../job.ts'
import type { Schedule } from '../plan/schedule.ts'
import type { SchedulerContext } from '../scheduler-context.ts'
import { markOf, sinceOf } from './schedule-mark.ts'

/** What a store has of a name. */
export type Found = LockRecord | 'unreadable' | undefined
export type Records = ReadonlyMap<string, LockRecord | 'unreadable'>

/** A plan is recorded only so long before the next tick, in ms, that it can't keep a node from it. */
const CLEAR_OF_TICK = 2_000

/** Sets since when the ticks of a job count as missed, and marks what it acquires from now on with it. */
export function setSince(job: Job, since: number): void {
  if (job.since === since) return
  job.since = since
  job.lock = { ...job.lock, mark: markOf(job.schedule, since) }
}

/**
 * Writes since when jobs are planned, where the records don't show it: for a job that never ran, or whose schedule changed. It takes the lock for one
 * millisecond, without a tick, so it works in every store and changes neither the last tick nor what a ShedLock node sees. A node that starts after
 * the next tick was missed knows by it.
 *
 * The race: a tick requested in that millisecond would be refused as held. So no plan is recorded shortly before a tick. Nor while a
 * tick is unfinished: its holder may still release it. A name whose request fails does without until its next tick.
 */
export async function recordPlans(
  { acquireContext, storeClock }: SchedulerContext,
  jobs: readonly Job[],
  records: Records,
): Promise<void> {
  const now = storeClock.now()
  const requests: AcquireRequest[] = []
  for (const { name, lock, schedule, catchUp, removed } of jobs) {
    if (!catchUp || removed || !lacksPlan(records.get(name), schedule)) continue
    if ((schedule.next(now) ?? Number.POSITIVE_INFINITY) - now < CLEAR_OF_TICK) continue
    const { metadata, mark } = lock
    const { label, maxClockSkew } = acquireContext
    requests.push({ name, owner: newOwner(mark), label, lockAtMostFor: 1, maxClockSkew, metadata })
  }
  if (requests.length === 0) return
  const { client } = acquireContext
  await client.within(client.timeout, () => `record the plan of ${requests.length} jobs`, client.acquireAll(requests))
}

function lacksPlan(record: Found, schedule: Schedule): boolean {
  if (record === undefined) return true
  if (record === 'unreadable' || (record.lastTick !== undefined && !record.tickDone)) return false
  return sinceOf(record, schedule) === undefined
}
