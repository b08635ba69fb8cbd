import type { Engine, Tick } from '../scheduler-context.ts'
import { askForTick, pause, pauseAfter } from '../tick/acquire-ticks.ts'
import { conclude, leftOf, tellMissed } from '../tick/outcome.ts'

/**
 * Goes after a tick of a job that is catching up: waits while the job runs here, or while its lock is held, and asks again. False when
 * no later tick may be asked for: the scheduler stops, or the store failed and all that is owed has to be looked at anew.
 *
 * The race: two nodes catch up, one runs T1, and the other is refused T2 because the lock is held. If it went on and was granted T3 the
 * moment that T1 ended, T2 would be lost. So nobody asks for a later tick before this one was granted, to whomever.
 */
export async function pursueInTurn(engine: Engine, tick: Tick): Promise<boolean> {
  const { job, time } = tick
  for (let waits = 1; !engine.stopping.aborted && !job.removed; waits++) {
    if (job.catchUp && time <= engine.time.now() - job.catchUp.window) {
      tellMissed(engine, tick, 'late', undefined)
      return true
    }
    let wait = pauseAfter(waits, engine.random())
    if (!engine.runs.has(job.name)) {
      const answer = await askForTick(engine, tick, engine.clock.monotonic() + job.graceFor)
      const held = answer.outcome === 'refused' && answer.refused.reason === 'held' ? answer.refused.record : undefined
      if (!held || !job.catchUp) {
        await conclude(engine, tick, answer)
        return answer.outcome !== 'stopped' && (answer.outcome !== 'failed' || job.onStoreError === 'run')
      }
      wait = Math.min(wait, leftOf(held))
    }
    if (job.catchingUp) job.catchingUp.waiting = true
    await pause(engine, wait)
    if (job.catchingUp) job.catchingUp.waiting = false
  }
  if (engine.stopping.aborted) tellMissed(engine, tick, 'stopped', undefined)
  return false
}
