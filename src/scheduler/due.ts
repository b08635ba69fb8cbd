import { sleep } from '../clock.ts'
import type { CatchUp } from './catch-up.ts'
import { type Engine, factsOf, type Tick } from './engine.ts'
import type { Due } from './planner.ts'
import { pursue, RUNNING_HERE, tellMissed, tellSkipped } from './tick.ts'

/** Goes after a tick that is due, for each of its jobs that does not run here or wait its turn. */
export function followUp(engine: Engine, catchUp: CatchUp, { jobs, time, next, passed }: Due): void {
  const now = engine.time.now()
  for (const job of jobs) {
    const tick: Tick = { job, kind: 'schedule', time }
    if (passed) {
      tellMissed(engine, { ...tick, time: passed.first }, 'late', undefined, passed.last)
      engine.owe(job)
    }
    engine.events.emit('tick', () => factsOf(tick))
    const left = Math.min(time + job.graceFor, next) - now
    // The tick before is still asked for, so it ends missed, and this one must not overtake it.
    if (job.asking > 0) engine.owe(job)
    if (catchUp.queue(job, time)) continue
    if (engine.runs.has(job.name)) tellSkipped(engine, tick, RUNNING_HERE)
    else if (left <= 0) {
      tellMissed(engine, tick, 'late', undefined)
      engine.owe(job)
    } else engine.track(afterJitter(engine, tick, engine.clock.monotonic() + left))
  }
}

async function afterJitter(engine: Engine, tick: Tick, until: number): Promise<void> {
  const { clock, random, stopping } = engine
  const { jitter } = tick.job
  if (jitter > 0) {
    const longest = (until - clock.monotonic()) / 2
    await sleep(clock, Math.min(random() * jitter, longest), stopping).catch(() => {})
  }
  if (tick.job.removed) return
  if (stopping.aborted) return tellMissed(engine, tick, 'stopped', undefined)
  await pursue(engine, tick, until)
}
