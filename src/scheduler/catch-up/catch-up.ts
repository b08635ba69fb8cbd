import type { LockRecord } from '../../provider/contract.ts'
import { isUnreadable } from '../../provider/record.ts'
import type { CatchingUp, Job } from '../job.ts'
import { ticksBetween } from '../plan/schedule.ts'
import { emitStoreError, type SchedulerContext } from '../scheduler-context.ts'
import { backoffAfter, CLOCK_KNOWN_WITHIN, delay } from '../tick/acquire-ticks.ts'
import { awaitRerun, emitMissed, mayRerun } from '../tick/outcome.ts'
import { acquireInOrder } from './acquire-in-order.ts'
import { type Found, type Records, recordPlans, setSince } from './plan-record.ts'
import { sinceOf } from './schedule-mark.ts'

/** How many names are read at once. */
const CHUNK = 1_000

/**
 * The ticks that passed up to `now` and that the record shows nobody ran, oldest first. None counts as missed from
 * before a node planned the job with this schedule (`job.since`), except the latest when `starting` with `runOnStart`,
 * and none that is not later than the last one granted.
 */
export function missedTicks(job: Job, lastTick: number | undefined, now: number, starting: boolean): number[] {
  const { catchUp, schedule, since } = job
  const onStart = starting && job.runOnStart ? schedule.last(1, now).filter((tick) => tick > (lastTick ?? 0)) : []
  if (!catchUp || since === undefined) return onStart
  const missed = ticksBetween(schedule, Math.max(lastTick ?? 0, since, now - catchUp.window), now, catchUp.max)
  return missed.length > 0 ? missed : onStart
}

/**
 * Requests ticks that passed: at start, after an outage of the store, and after this process was late. While a job
 * catches up, its new ticks wait their turn, or the record's last tick would overtake those that were missed.
 */
export class CatchUp {
  readonly #context: SchedulerContext
  #unread = new Set<Job>()

  constructor(context: SchedulerContext) {
    this.#context = context
  }

  /** Looks after these jobs, which this node plans from `from` (corrected time) on, as they stand at start. */
  start(jobs: readonly Job[], from = this.#context.storeClock.now()): void {
    const { clock, storeClock } = this.#context
    for (const job of jobs) {
      job.plannedAt = clock.monotonic() - (storeClock.now() - from)
      // By a clock that is wrong it would be too, so it waits for the store's.
      if (storeClock.isKnownWithin(CLOCK_KNOWN_WITHIN)) setSince(job, from)
    }
    const concerned = jobs.filter((job) => job.catchUp || job.runOnStart || job.lock.onCrash === 'rerun')
    if (concerned.length > 0) this.#context.track(this.#settle(concerned, true))
  }

  /** Says that ticks of this job may have passed unasked. */
  noteMissed(job: Job, queued: number[] = []): void {
    if (!job.catchUp || job.removed || this.#context.stopping.aborted) return
    if (job.catchingUp) {
      job.catchingUp.again = true
      return
    }
    job.catchingUp = { queued, again: false, phase: 'reading', waiting: false }
    // Those that are found owing in one turn are read together.
    if (this.#unread.size === 0) queueMicrotask(() => this.#flush())
    this.#unread.add(job)
  }

  /** Lets a tick that is due wait its turn, if its job is catching up. False when it is not, or when the tick goes the usual way. */
  queue(job: Job, time: number): boolean {
    const state = job.catchingUp
    if (!job.catchUp || !state) return false
    // Such a job is not to wait for the store.
    if (state.phase === 'reading' && job.onStoreError === 'run') return false
    // A tick that comes while the job runs is skipped, as ever, or one that ticks faster than it runs would catch up for ever.
    if (state.phase === 'queued' && (this.#context.running.has(job.name) || state.waiting)) return false
    state.queued.push(time)
    const dropped = state.queued.length > job.catchUp.max ? state.queued.shift() : undefined
    if (dropped !== undefined) {
      const unreachable = this.#context.availability.unreachableSince !== undefined
      const reason = state.phase === 'reading' && unreachable ? 'store-error' : 'late'
      emitMissed(this.#context, { job, kind: 'schedule', time: dropped }, reason, undefined)
    }
    return true
  }

  #flush(): void {
    const jobs = [...this.#unread]
    this.#unread.clear()
    this.#context.track(this.#settle(jobs, false))
  }

  async #settle(jobs: readonly Job[], starting: boolean): Promise<void> {
    for (const job of jobs) job.catchingUp ??= { queued: [], again: false, phase: 'reading', waiting: false }
    const records = await this.#read(jobs)
    for (const job of jobs) {
      if (job.catchingUp) this.#context.track(this.#settleJob(job, job.catchingUp, records.get(job.name), starting))
    }
  }

  async #settleJob(job: Job, state: CatchingUp, found: Found, starting: boolean): Promise<void> {
    const now = this.#context.storeClock.now()
    const record = found === 'unreadable' ? undefined : found
    try {
      this.#watchUnfinished(job, record, now)
      state.phase = 'missed'
      const missed = found === 'unreadable' ? [] : missedTicks(job, record?.lastTick, now, starting)
      const after = Math.max(missed.at(-1) ?? 0, job.since ?? 0)
      if (await this.#acquireMissed(job, missed)) await this.#acquireQueued(job, state, after)
    } finally {
      job.catchingUp = undefined
      const left = state.queued
      if (this.#context.stopping.aborted) {
        for (const time of left) emitMissed(this.#context, { job, kind: 'schedule', time }, 'stopped', undefined)
      } else if (state.again || left.length > 0) this.noteMissed(job, left)
    }
  }

  /** Since when the job's ticks count as missed: since this node planned it, or before, by the record. */
  #learnSince(job: Job, found: Found): void {
    const { clock, storeClock } = this.#context
    const here = job.since ?? storeClock.now() - (clock.monotonic() - job.plannedAt)
    const known = found === undefined || found === 'unreadable' ? undefined : sinceOf(found, job.schedule)
    setSince(job, Math.min(here, known ?? here))
  }

  /** False when it ended before its end. */
  async #acquireMissed(job: Job, times: readonly number[]): Promise<boolean> {
    for (const time of times) if (!(await acquireInOrder(this.#context, { job, kind: 'catch-up', time }))) return false
    return true
  }

  async #acquireQueued(job: Job, state: CatchingUp, after: number): Promise<void> {
    state.phase = 'queued'
    // Ticks that passed meanwhile lie before those that were queued since: they were missed, and must not be overtaken.
    while (!state.again) {
      const time = state.queued.shift()
      if (time === undefined) return
      if (time > after && !(await acquireInOrder(this.#context, { job, kind: 'schedule', time }))) return
    }
  }

  /** A tick whose node crashed before this one started, and that nothing has overtaken: `onCrash: 'rerun'` holds for it too. */
  #watchUnfinished(job: Job, record: LockRecord | undefined, now: number): void {
    const time = record?.lastTick
    if (time === undefined || !mayRerun(job, time, record)) return
    const overtaken = (job.schedule.next(time) ?? Number.POSITIVE_INFINITY) <= now
    if (!overtaken) this.#context.track(awaitRerun(this.#context, { job, kind: 'rerun', time }, record))
  }

  /** Reads the records, and writes since when these jobs are planned where they don't show it. Retries until the store responds or the scheduler stops. */
  async #read(jobs: readonly Job[]): Promise<Records> {
    const context = this.#context
    const records = new Map<string, LockRecord | 'unreadable'>()
    let from = 0
    let failures = 0
    while (from < jobs.length && !context.stopping.aborted) {
      const chunk = jobs.slice(from, from + CHUNK).filter(({ removed }) => !removed)
      try {
        const names = chunk.map(({ name }) => name)
        for (const record of names.length > 0 ? await context.acquireContext.client.read(names) : []) {
          // Nothing is known of a job whose record can't be read, so nothing is caught up.
          if (isUnreadable(record)) emitStoreError(context, 'read', record.name, record.unreadable)
          records.set(record.name, isUnreadable(record) ? 'unreadable' : record)
        }
        // No record brings the store's clock along when there is none.
        const readable = chunk.filter(({ name }) => records.get(name) !== 'unreadable')
        const first = readable[0]?.name
        if (first !== undefined && !context.storeClock.isKnownWithin(CLOCK_KNOWN_WITHIN))
          await context.acquireContext.client.readClock(first, context.acquireContext.label)
        for (const job of chunk) this.#learnSince(job, records.get(job.name))
        await recordPlans(context, readable, records)
        from += CHUNK
        failures = 0
      } catch (error) {
        emitStoreError(context, 'read', undefined, error)
        await delay(context, backoffAfter(++failures, context.random()))
      }
    }
    return records
  }
}
