import type { SchedulerContext } from '../scheduler-context.ts'
import { acquireTick, backoffAfter, delay } from '../tick/acquire-ticks.ts'
import { emitMissed, handleOutcome, remainingLease } from '../tick/outcome.ts'
import type { Tick } from '../tick/tick.ts'

/**
 * Goes after a tick of a job that is catching up: waits while the job runs here, or while its lock is held, and asks
 * again. False when no later tick may be requested: the scheduler stops, or the store failed and all that was missed
 * has to be looked at anew.
 *
 * The race: two nodes catch up, one runs T1, and the other is refused T2 because the lock is held. If it went on and
 * was granted T3 the moment that T1 ended, T2 would be lost. So nobody requests a later tick before this one was
 * granted, to whomever.
 */
export async function acquireInOrder(context: SchedulerContext, tick: Tick): Promise<boolean> {
  const { job, time } = tick
  for (let waits = 1; !context.stopping.aborted && !job.removed; waits++) {
    if (job.catchUp && time <= context.storeClock.now() - job.catchUp.window) {
      emitMissed(context, tick, 'late', undefined)
      return true
    }
    let wait = backoffAfter(waits, context.random())
    if (!context.running.has(job.name)) {
      const outcome = await acquireTick(context, tick, context.clock.monotonic() + job.graceFor)
      const held =
        outcome.outcome === 'refused' && outcome.refused.reason === 'held' ? outcome.refused.record : undefined
      if (!held || !job.catchUp) {
        await handleOutcome(context, tick, outcome)
        return outcome.outcome !== 'stopped' && (outcome.outcome !== 'failed' || job.onStoreError === 'run')
      }
      wait = Math.min(wait, remainingLease(held))
    }
    if (job.catchingUp) job.catchingUp.waiting = true
    await delay(context, wait)
    if (job.catchingUp) job.catchingUp.waiting = false
  }
  if (context.stopping.aborted) emitMissed(context, tick, 'stopped', undefined)
  return false
}
