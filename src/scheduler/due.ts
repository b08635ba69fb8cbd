import { sleep } from '../clock.ts'
import { type Ask, patienceFor } from './ask.ts'
import type { CatchUp } from './catch-up.ts'
import { type Engine, factsOf, type Tick } from './engine.ts'
import type { Due } from './planner.ts'
import { pursue, pursueAll, RUNNING_HERE, tellMissed, tellSkipped } from './tick.ts'

/** Goes after a tick that is due, for each of its jobs that does not run here or wait its turn. */
export function followUp(engine: Engine, catchUp: CatchUp, { jobs, time, next, passed }: Due): void {
  const now = engine.time.now()
  const monotonic = engine.clock.monotonic()
  /** By how long they wait for the answer: a batch has one deadline. */
  const asks = new Map<number, Ask[]>()
  for (const job of jobs) {
    const tick: Tick = { job, kind: 'schedule', time }
    if (passed) {
      tellMissed(engine, { ...tick, time: passed.first }, 'late', undefined, passed.last)
      engine.owe(job)
    }
    engine.events.emit('tick', () => factsOf(tick))
    const left = Math.min(time + job.graceFor, next) - now
    const until = monotonic + left
    // The tick before is still asked for, so it ends missed, and this one must not overtake it.
    if (job.asking > 0) engine.owe(job)
    if (catchUp.queue(job, time)) continue
    if (engine.runs.has(job.name)) tellSkipped(engine, tick, RUNNING_HERE)
    else if (left <= 0) {
      tellMissed(engine, tick, 'late', undefined)
      engine.owe(job)
    } else if (job.jitter > 0) engine.track(afterJitter(engine, tick, until))
    else if (mayAsk(engine, tick)) into(asks, patienceFor(engine, job, left), { tick, until })
  }
  for (const [patience, together] of asks) engine.track(ask(engine, together, patience))
}

function ask(engine: Engine, asks: readonly Ask[], patience: number): Promise<void> {
  const { headStart, random } = engine
  const wait = headStart.waitFor(asks.length, patience, random)
  return wait > 0 ? askLater(engine, asks, patience, wait) : pursueAll(engine, asks, patience)
}

async function askLater(engine: Engine, asks: readonly Ask[], patience: number, wait: number): Promise<void> {
  const { clock, stopping } = engine
  await sleep(clock, wait, stopping).catch(() => {})
  const still = asks.filter(({ tick }) => mayAsk(engine, tick))
  if (still.length > 0) await pursueAll(engine, still, patience - wait)
}

function into(asks: Map<number, Ask[]>, patience: number, ask: Ask): void {
  const together = asks.get(patience)
  if (together) together.push(ask)
  else asks.set(patience, [ask])
}

/** False when a listener, or the time that has passed, has taken the job out or begun to stop the scheduler. */
function mayAsk(engine: Engine, tick: Tick): boolean {
  if (tick.job.removed) return false
  if (engine.stopping.aborted) tellMissed(engine, tick, 'stopped', undefined)
  return !engine.stopping.aborted
}

async function afterJitter(engine: Engine, tick: Tick, until: number): Promise<void> {
  const { clock, random, stopping } = engine
  const longest = (until - clock.monotonic()) / 2
  await sleep(clock, Math.min(random() * tick.job.jitter, longest), stopping).catch(() => {})
  if (mayAsk(engine, tick)) await pursue(engine, tick, until)
}
