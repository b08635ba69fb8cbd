import { inNaturalOrder } from '../format/natural-order.ts'
import type { OverdueEvent } from '../health/index.ts'
import type { LockRecord, UnreadableRecord } from '../provider/contract.ts'
import type { RunHistory } from '../provider/history.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { breathe } from './breathe.ts'
import { type LockState, lockState } from './lock-state.ts'
import { byRank, byValue } from './order.ts'
import { type Outcome, Outcomes } from './outcomes.ts'

/** How many names are read at once. */
const CHUNK = 500
/** The overview is so old at most when somebody looks, in ms; older where a refresh takes long, so that it takes a tenth of the time at most. */
const STALE_AFTER = 2_000
const READ_TIMEOUT = 1_000
const COUNTS_FOR = 1_000

export const FILTERS = ['all', 'running', 'paused', 'failing'] as const
export type JobFilter = (typeof FILTERS)[number]
export const SORTS = ['status', 'name', 'next', 'success', 'duration'] as const
export type JobSort = (typeof SORTS)[number]

/** How many jobs are in which state. */
export interface Counts {
  /** Those that need somebody: failing, overdue or unreadable. */
  readonly failing: number
  readonly running: number
  readonly paused: number
}

/** The state of every job of the schedulers, to filter, sort and count by. Kept while somebody looks, and read in chunks. */
export class Overview {
  readonly #schedulers: () => readonly Scheduler[]
  readonly #overdue: () => readonly OverdueEvent[]
  readonly #locks = new Map<string, LockState>()
  readonly #outcomes = new Map<RunHistory, Outcomes>()
  readonly #next = new Map<string, number>()
  #names: readonly string[] = []
  #nameSet: ReadonlySet<string> = new Set()
  #compared = false
  #counts: { readonly counts: Counts; readonly until: number } | undefined
  #refreshing: Promise<void> | undefined
  #freshUntil = 0
  #complete = false
  #historyFailed = false

  constructor(schedulers: () => readonly Scheduler[], overdue: () => readonly OverdueEvent[]) {
    this.#schedulers = schedulers
    this.#overdue = overdue
  }

  /** All names, in natural order. Sorted again only when they have changed, and compared once a turn of the event loop. */
  get names(): readonly string[] {
    if (this.#compared) return this.#names
    this.#compared = true
    setImmediate(() => {
      this.#compared = false
    })
    const now = this.#schedulers().flatMap(({ jobs }) => jobs)
    if (now.length === this.#nameSet.size && now.every((name) => this.#nameSet.has(name))) return this.#names
    this.#nameSet = new Set(now)
    this.#names = inNaturalOrder(this.#nameSet)
    return this.#names
  }

  /** Whether every job has been read. */
  get complete(): boolean {
    return this.#complete
  }

  /** Whether the last look at the history failed. */
  get historyFailed(): boolean {
    return this.#historyFailed
  }

  outcomeOf(job: string): Outcome | undefined {
    for (const outcomes of this.#outcomes.values()) {
      const outcome = outcomes.of(job)
      if (outcome) return outcome
    }
    return undefined
  }

  overdueOf(job: string): OverdueEvent | undefined {
    return this.#overdue().find((event) => event.job === job)
  }

  /** Not older than a second. */
  counts(): Counts {
    const now = performance.now()
    if (this.#counts && now < this.#counts.until) return this.#counts.counts
    const counts = this.#count()
    this.#counts = { counts, until: now + COUNTS_FOR }
    return counts
  }

  #count(): Counts {
    const overdue = this.#overdueJobs()
    let [failing, running, paused] = [0, 0, 0]
    for (const name of this.names) {
      const lock = this.#locks.get(name)
      if (lock?.held) running++
      if (lock?.paused) paused++
      if (this.#rank(name, overdue) < HEALTHY) failing++
    }
    return { failing, running, paused }
  }

  /** The names of the jobs that are wanted, in the order that is wanted, as they were at the last refresh. */
  select(query: { search: string; filter: JobFilter; sort: JobSort; descending: boolean }): string[] {
    const overdue = this.#overdueJobs()
    const search = query.search.toLowerCase()
    const found = this.names.filter((name) => {
      if (search !== '' && !name.toLowerCase().includes(search)) return false
      if (query.filter === 'running') return this.#locks.get(name)?.held === true
      if (query.filter === 'paused') return this.#locks.get(name)?.paused === true
      return query.filter === 'all' || this.#rank(name, overdue) < HEALTHY
    })
    const { sort, descending } = query
    if (sort === 'name') return descending ? found.reverse() : found
    if (sort === 'status') return byRank(found, (name) => this.#rank(name, overdue), descending)
    return byValue(found, (name) => this.#sortKey(sort, name), descending)
  }

  /** Takes in the records of these names. */
  learn(names: readonly string[], records: readonly (LockRecord | UnreadableRecord)[]): void {
    for (const name of names) this.#locks.delete(name)
    for (const record of records) this.#locks.set(record.name, lockState(record))
  }

  /** Takes in the record of a job that was just changed. */
  touch(name: string, records: readonly (LockRecord | UnreadableRecord)[]): void {
    this.learn([name], records)
    this.#counts = undefined
  }

  lockOf(job: string): LockState | undefined {
    return this.#locks.get(job)
  }

  /** Reads all states again where they are old, and waits for it a moment. Rejects when the store fails and nothing is known yet. */
  async refresh(): Promise<void> {
    if (performance.now() < this.#freshUntil) return
    this.#refreshing ??= this.#readAll().finally(() => {
      this.#refreshing = undefined
    })
    const known = this.#complete
    const refreshed = known ? this.#refreshing.catch(() => {}) : this.#refreshing
    let timer: NodeJS.Timeout | undefined
    const timedOut = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, READ_TIMEOUT)
    })
    refreshed.catch(() => {})
    await Promise.race([refreshed, timedOut]).finally(() => clearTimeout(timer))
  }

  async #readAll(): Promise<void> {
    const startedAt = performance.now()
    const schedulers = this.#schedulers()
    for (const name of this.#locks.keys()) if (!this.#nameSet.has(name)) this.#locks.delete(name)
    for (const scheduler of schedulers) await this.#readLocks(scheduler)
    this.#historyFailed = false
    await this.#readOutcomes(schedulers).catch(() => {
      this.#historyFailed = true
    })
    this.#complete = true
    this.#counts = undefined
    const now = performance.now()
    this.#freshUntil = now + Math.max(STALE_AFTER, 10 * (now - startedAt))
  }

  async #readLocks(scheduler: Scheduler): Promise<void> {
    const { jobs } = scheduler
    for (let from = 0; from < jobs.length; from += CHUNK) {
      const chunk = jobs.slice(from, from + CHUNK)
      const startedAt = performance.now()
      this.learn(chunk, await scheduler.readRecords(chunk))
      for (const name of chunk) this.#learnNext(scheduler, name)
      await breathe(startedAt)
    }
  }

  #learnNext(scheduler: Scheduler, name: string): void {
    const next = scheduler.has(name) ? scheduler.describe(name).nextTick : undefined
    if (next) this.#next.set(name, next.getTime())
    else this.#next.delete(name)
  }

  async #readOutcomes(schedulers: readonly Scheduler[]): Promise<void> {
    const jobsOf = new Map<RunHistory, string[]>()
    for (const { history, jobs } of schedulers) {
      if (!history) continue
      jobsOf.set(history, [...(jobsOf.get(history) ?? []), ...jobs])
    }
    for (const history of this.#outcomes.keys()) if (!jobsOf.has(history)) this.#outcomes.delete(history)
    const now = schedulers[0]?.now().getTime() ?? Date.now()
    for (const [history, jobs] of jobsOf) {
      const outcomes = this.#outcomes.get(history) ?? new Outcomes(history)
      this.#outcomes.set(history, outcomes)
      await outcomes.refresh(new Set(jobs), now)
    }
  }

  #overdueJobs(): ReadonlySet<string> {
    return new Set(this.#overdue().map(({ job }) => job))
  }

  /** The lower, the sooner somebody should look. */
  #rank(name: string, overdue: ReadonlySet<string>): number {
    const lock = this.#locks.get(name)
    if (lock?.problem !== undefined) return 0
    if (this.outcomeOf(name)?.failed || lock?.crashed) return 1
    return overdue.has(name) ? 2 : HEALTHY
  }

  #sortKey(sort: 'next' | 'success' | 'duration', name: string): number | undefined {
    if (sort === 'next') return this.#locks.get(name)?.paused ? undefined : this.#next.get(name)
    const outcome = this.outcomeOf(name)
    return sort === 'success' ? outcome?.lastSuccess : outcome?.duration
  }
}

const HEALTHY = 9
