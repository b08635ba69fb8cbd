import type { LockRecord } from '../provider/contract.ts'
import { isUnreadable } from '../provider/record.ts'
import { pause, pauseAfter } from './ask.ts'
import { type Engine, tellStoreError } from './engine.ts'
import { pursueInTurn } from './in-turn.ts'
import type { CatchingUp, Job } from './job.ts'
import { ticksBetween } from './schedule.ts'
import { mayRerun, tellMissed, watch } from './tick.ts'

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
  const owed = ticksBetween(schedule, Math.max(lastTick, now - catchUp.window), now, catchUp.max)
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
  owe(job: Job, queued: number[] = []): void {
    if (!job.catchUp || job.removed || this.#engine.stopping.aborted) return
    if (job.catchingUp) {
      job.catchingUp.again = true
      return
    }
    job.catchingUp = { queued, again: false, phase: 'reading', waiting: false }
    // Those that are found owing in one turn are read together.
    if (this.#owing.size === 0) queueMicrotask(() => this.#flush())
    this.#owing.add(job)
  }

  /** Lets a tick that is due wait its turn, if its job is catching up. False when it is not, or when the tick goes the usual way. */
  queue(job: Job, time: number): boolean {
    const state = job.catchingUp
    if (!job.catchUp || !state) return false
    // Such a job is not to wait for the store.
    if (state.phase === 'reading' && job.onStoreError === 'run') return false
    // A tick that comes while the job runs is skipped, as ever, or one that ticks faster than it runs would catch up for ever.
    if (state.phase === 'queued' && (this.#engine.runs.has(job.name) || state.waiting)) return false
    state.queued.push(time)
    const dropped = state.queued.length > job.catchUp.max ? state.queued.shift() : undefined
    if (dropped !== undefined) {
      const unreachable = this.#engine.reach.unreachableSince !== undefined
      const reason = state.phase === 'reading' && unreachable ? 'store-error' : 'late'
      tellMissed(this.#engine, { job, kind: 'schedule', time: dropped }, reason, undefined)
    }
    return true
  }

  #flush(): void {
    const jobs = [...this.#owing]
    this.#owing.clear()
    this.#engine.track(this.#settle(jobs, false))
  }

  async #settle(jobs: readonly Job[], starting: boolean): Promise<void> {
    for (const job of jobs) job.catchingUp ??= { queued: [], again: false, phase: 'reading', waiting: false }
    const records = await this.#read(jobs.map(({ name }) => name))
    for (const job of jobs) {
      if (job.catchingUp) this.#engine.track(this.#settleJob(job, job.catchingUp, records.get(job.name), starting))
    }
  }

  async #settleJob(job: Job, state: CatchingUp, record: LockRecord | undefined, starting: boolean): Promise<void> {
    const now = this.#engine.time.now()
    try {
      this.#watchUnfinished(job, record, now)
      state.phase = 'owed'
      const owed = owedTicks(job, record?.lastTick, now, starting)
      if (await this.#pursueOwed(job, owed)) await this.#pursueQueued(job, state, owed.at(-1) ?? 0)
    } finally {
      job.catchingUp = undefined
      const left = state.queued
      if (this.#engine.stopping.aborted) {
        for (const time of left) tellMissed(this.#engine, { job, kind: 'schedule', time }, 'stopped', undefined)
      } else if (state.again || left.length > 0) this.owe(job, left)
    }
  }

  /** False when it ended before its end. */
  async #pursueOwed(job: Job, times: readonly number[]): Promise<boolean> {
    for (const time of times) if (!(await pursueInTurn(this.#engine, { job, kind: 'catch-up', time }))) return false
    return true
  }

  async #pursueQueued(job: Job, state: CatchingUp, after: number): Promise<void> {
    state.phase = 'queued'
    // Ticks that passed meanwhile lie before those that were queued since: they are owed, and must not be overtaken.
    while (!state.again) {
      const time = state.queued.shift()
      if (time === undefined) return
      if (time > after && !(await pursueInTurn(this.#engine, { job, kind: 'schedule', time }))) return
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
          // Nothing is known of a job whose record can't be read, so nothing is caught up.
          if (isUnreadable(record)) tellStoreError(engine, 'read', record.name, record.unreadable)
          else records.set(record.name, record)
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
