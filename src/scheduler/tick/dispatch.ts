import { sleep } from '../../clock.ts'
import type { CatchUp } from '../catch-up/catch-up.ts'
import type { Due } from '../plan/planner.ts'
import { type Engine, factsOf, type Tick } from '../scheduler-context.ts'
import type { Ordered } from '../spread/request-order.ts'
import { type Ask, patienceFor } from './acquire-ticks.ts'
import { pursue, pursueAll, RUNNING_HERE, tellMissed, tellSkipped } from './outcome.ts'

/** Requests the ticks that are due: its first choices at once, and what it leaves to other nodes a little later. */
export class DueTicks {
  readonly #engine: Engine
  readonly #catchUp: CatchUp
  /** The ticks of this turn of the event loop: they share the order of nodes and go out as one batch. */
  #batch: Ask[] = []

  constructor(engine: Engine, catchUp: CatchUp) {
    this.#engine = engine
    this.#catchUp = catchUp
  }

  /** Takes a tick that is due, for each of its jobs that does not run here or wait its turn. */
  add({ jobs, time, next, passed }: Due): void {
    const engine = this.#engine
    const now = engine.time.now()
    const monotonic = engine.clock.monotonic()
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
      if (!this.#mayRequest(tick)) continue
      if (left <= 0) {
        tellMissed(engine, tick, 'late', undefined)
        engine.owe(job)
      } else if (job.jitter > 0) engine.track(this.#afterJitter(tick, until))
      else this.#gather({ tick, until })
    }
  }

  #gather(ask: Ask): void {
    if (this.#batch.length === 0) queueMicrotask(() => this.#requestInOrder())
    this.#batch.push(ask)
  }

  #requestInOrder(): void {
    const batch = this.#batch
    this.#batch = []
    for (const [wait, asks] of this.#engine.order.of(batch, this.#engine.time.now())) {
      if (wait === 0)
        this.#request(
          asks.filter(({ tick }) => this.#isUp(tick)),
          false,
        )
      else this.#engine.track(this.#requestLater(wait, asks))
    }
  }

  async #requestLater(wait: number, asks: readonly Ordered[]): Promise<void> {
    const { clock, stopping } = this.#engine
    await sleep(clock, wait, stopping).catch(() => {})
    const still = asks.filter(({ tick }) => this.#isUp(tick) && this.#mayRequest(tick))
    const onGranted = ({ leftTo, tick }: Ordered): void => void leftTo?.leftOpen(tick.job.name)
    this.#request(still, true, onGranted)
  }

  /** One request for all that may wait equally long for the response: a batch has one deadline. */
  #request(asks: readonly Ordered[], mostRefused: boolean, onGranted?: (ask: Ordered) => void): void {
    const engine = this.#engine
    const now = engine.clock.monotonic()
    const batches = new Map<number, Ordered[]>()
    for (const ask of asks) {
      const patience = patienceFor(engine, ask.tick.job, ask.until - now)
      const batch = batches.get(patience)
      if (batch) batch.push(ask)
      else batches.set(patience, [ask])
    }
    for (const [patience, batch] of batches)
      engine.track(pursueAll(engine, batch, { patience, mostRefused }, onGranted))
  }

  /** False when the job runs here, or its tick waits its turn. */
  #mayRequest(tick: Tick): boolean {
    if (this.#catchUp.queue(tick.job, tick.time)) return false
    const running = this.#engine.runs.has(tick.job.name)
    if (running) tellSkipped(this.#engine, tick, RUNNING_HERE)
    return !running
  }

  /** False when a listener, or the time that has passed, has taken the job out or begun to stop the scheduler. */
  #isUp(tick: Tick): boolean {
    const { stopping } = this.#engine
    if (tick.job.removed) return false
    if (stopping.aborted) tellMissed(this.#engine, tick, 'stopped', undefined)
    return !stopping.aborted
  }

  async #afterJitter(tick: Tick, until: number): Promise<void> {
    const { clock, random, stopping } = this.#engine
    const longest = (until - clock.monotonic()) / 2
    await sleep(clock, Math.min(random() * tick.job.jitter, longest), stopping).catch(() => {})
    if (this.#isUp(tick)) await pursue(this.#engine, tick, until)
  }
}
