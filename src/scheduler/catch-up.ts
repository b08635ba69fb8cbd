import type { LockRecord } from '../provider/contract.ts'
import { pause, pauseAfter } from './ask.ts'
import { type Engine, tellStoreError } from './engine.ts'
import type { Job } from './job.ts'
import { mayRerun, pursue, watch } from './tick.ts'

/** How many names are read at once. */
const CHUNK = 1_000

/**
 * The ticks that passed up to `now` and that the record shows nobody ran, oldest first. A job that was never seen before owes none, except its
 * latest when `starting` with `runOnStart`. A tick that is not later than the last one granted is never owed, whatever the schedule says now.
 */
export function owedTicks(job: Job, lastTick: number | undefined, now: number, starting: boolean): number[] {
  const { catchUp, schedule } = job
  const onStart = starting && job.runOnStart ? schedule.last(1, now).filter((tick) => tick > (lastTick ?? 0)) : []
  if (!catchUp || lastTick === undefined) return onStart
  const after = Math.max(lastTick, now - catchUp.window)
  const owed = schedule.last(catchUp.max, now).filter((tick) => tick > after)
  return owed.length > 0 ? owed : onStart
}

/**
 * Asks for ticks that passed: at start, after an outage of the store, and after this process was late. While a job catches up, its new
 * ticks wait their turn, or the record's last tick would overtake those that are owed.
 */
export class CatchUp {
  readonly #engine: Engine
  #owing = new Set<Job>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Looks after these jobs as they stand at start. */
  start(jobs: readonly Job[]): void {
    const concerned = jobs.filter((job) => job.catchUp || job.runOnStart || job.lock.onCrash === 'rerun')
    if (concerned.length > 0) this.#engine.track(this.#settle(concerned, true))
  }

  /** Says that ticks of this job may have passed unasked. */
  owe(job: Job): void {
    if (!job.catchUp || this.#engine.stopping.aborted) return
    if (job.catchingUp) {
      job.catchingUp.again = true
      return
    }
    job.catchingUp = { queued: [], again: false }
    // Those that are found owing in one turn are read together.
    if (this.#owing.size === 0) queueMicrotask(() => this.#flush())
    this.#owing.add(job)
  }

  /** Lets a tick wait its turn, if its job is catching up. False when it is not. */
  queue(job: Job, time: number): boolean {
    if (!job.catchUp || !job.catchingUp) return false
    const { queued } = job.catchingUp
    queued.push(time)
    if (queued.length > job.catchUp.max) queued.shift()
    return true
  }

  #flush(): void {
    const jobs = [...this.#owing]
    this.#owing.clear()
    this.#engine.track(this.#settle(jobs, false))
  }

  async #settle(jobs: readonly Job[], starting: boolean): Promise<void> {
    for (const job of jobs) job.catchingUp ??= { queued: [], again: false }
    const records = await this.#read(jobs.map(({ name }) => name))
    for (const job of jobs) this.#engine.track(this.#settleJob(job, records.get(job.name), starting))
  }

  async #settleJob(job: Job, record: LockRecord | undefined, starting: boolean): Promise<void> {
    const engine = this.#engine
    const now = engine.time.now()
    this.#watchUnfinished(job, record, now)
    const owed = owedTicks(job, record?.lastTick, now, starting)
    const newest = owed.at(-1) ?? 0
    await this.#pursueAll(job, 'catch-up', owed)
    const state = job.catchingUp
    for (let queued = state?.queued.splice(0); queued?.length; queued = state?.queued.splice(0)) {
      await this.#pursueAll(
        job,
        'schedule',
        queued.filter((time) => time > newest),
      )
    }
    job.catchingUp = undefined
    if (state?.again) this.owe(job)
  }

  async #pursueAll(job: Job, kind: 'catch-up' | 'schedule', times: readonly number[]): Promise<void> {
    const engine = this.#engine
    for (const time of times) {
      if (engine.stopping.aborted || job.removed) return
      await pursue(engine, { job, kind, time }, engine.clock.monotonic() + job.graceFor)
    }
  }

  /** A tick whose node crashed before this one started, and that nothing has overtaken: `onCrash: 'rerun'` holds for it too. */
  #watchUnfinished(job: Job, record: LockRecord | undefined, now: number): void {
    const time = record?.lastTick
    if (time === undefined || !mayRerun(job, time, record)) return
    const overtaken = (job.schedule.next(time) ?? Number.POSITIVE_INFINITY) <= now
    if (!overtaken) this.#engine.track(watch(this.#engine, { job, kind: 'rerun', time }, record))
  }

  /** Asks until the store answers, or the scheduler stops. */
  async #read(names: readonly string[]): Promise<ReadonlyMap<string, LockRecord>> {
    const engine = this.#engine
    const records = new Map<string, LockRecord>()
    let from = 0
    let failures = 0
    while (from < names.length && !engine.stopping.aborted) {
      try {
        for (const record of await engine.asker.store.read(names.slice(from, from + CHUNK))) {
          records.set(record.name, record)
        }
        from += CHUNK
        failures = 0
      } catch (error) {
        tellStoreError(engine, 'read', undefined, error)
        await pause(engine, pauseAfter(++failures, engine.random()))
      }
    }
    return records
  }
}
