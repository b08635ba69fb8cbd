import type { LockRecord } from '../provider/contract.ts'
import { isUnreadable } from '../provider/record.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'

/**
 * How many names are read at once, and of how many the history: they share the connections with the requests for locks.
 */
const CHUNK = 500
const HISTORY_READS = 2

/** A job that has not succeeded for longer than it is expected to. */
export interface OverdueEvent {
  readonly job: string
  /** Its option `expectEvery`, in ms. */
  readonly expectEvery: number
  /** When it last succeeded on any node, as far as it is known. */
  readonly lastSuccess: Date | undefined
  /** When its time was up. */
  readonly since: Date
}

/**
 * When jobs last succeeded, on whichever node: by this node's own events, and, for those whose time is up by these, by what the store tells. The history tells it exactly. Without
 * one the lock's record does: a last tick that was released, and that this node did not see fail, counts as a success.
 */
export class Successes {
  readonly #scheduler: Scheduler
  readonly #last = new Map<string, number>()
  /** Ticks that failed here. */
  readonly #failed = new Map<string, number>()

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  succeeded(job: string, at: number): void {
    this.#last.set(job, Math.max(at, this.#last.get(job) ?? 0))
  }

  failed(job: string, tick: number): void {
    this.#failed.set(job, tick)
  }

  last(job: string): number | undefined {
    return this.#last.get(job)
  }

  /** Asks the store about these jobs. Rejects when it fails. */
  async ask(jobs: readonly string[]): Promise<void> {
    const { history } = this.#scheduler
    for (let from = 0; from < jobs.length; from += CHUNK) {
      const asked = jobs.slice(from, from + CHUNK)
      for (let next = 0; history && next < asked.length; next += HISTORY_READS)
        await Promise.all(asked.slice(next, next + HISTORY_READS).map((job) => this.#askHistory(job)))
      for (const record of await this.#scheduler.readRecords(asked)) if (!isUnreadable(record)) this.#learn(record)
    }
  }

  async #askHistory(job: string): Promise<void> {
    const found = await this.#scheduler.history?.read({ job, outcome: 'succeeded', limit: 1 })
    const entry = found?.[0]
    if (entry) this.succeeded(job, entry.at + (entry.duration ?? 0))
  }

  #learn({ name, lastTick, tickDone, lockedBy }: LockRecord): void {
    // Without history the resume of a paused job counts as a success, too: it marks a tick as done.
    if (this.#scheduler.history || lastTick === undefined || !tickDone || lockedBy === '') return
    if (this.#failed.get(name) !== lastTick) this.succeeded(name, lastTick)
  }
}
