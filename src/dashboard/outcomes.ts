import type { RecordedEntry, RunHistory } from '../provider/history.ts'
import { breathe } from './breathe.ts'
import { ofStore } from './store-reads.ts'

/** How the last runs of a job ended, on whichever node. Times in ms since the epoch. */
export interface Outcome {
  /** When the last run that ended began. */
  readonly at: number
  readonly failed: boolean
  /** How long it ran. */
  readonly duration: number | undefined
  /** When a run last succeeded; undefined when none is known. */
  readonly lastSuccess: number | undefined
}

/** So many of a job's last entries are read: the newest may be misses, and may still run. */
const LATEST = 5
const CHUNK = 100
/** More changes than this since the last look, and every job is read anew. */
const MOST_CHANGES = 5_000
/** The most jobs that are looked up in one refresh. */
const MOST_LOOKUPS = 200
/** A write may become visible this much later than its time, in ms. */
const OVERLAP = 5_000

/** The outcomes of the jobs of one history: read once, then by what has changed since. */
export class Outcomes {
  readonly #history: RunHistory
  readonly #known = new Map<string, Outcome | undefined>()
  /** Jobs whose last entries do not say enough. */
  readonly #older = new Set<string>()
  readonly #lookedUp = new Set<string>()
  #changedUntil: number | undefined

  constructor(history: RunHistory) {
    this.#history = history
  }

  of(job: string): Outcome | undefined {
    return this.#known.get(job)
  }

  /** Reads what is new. Rejects when the store fails; what is known stays. */
  async refresh(jobs: ReadonlySet<string>, now: number): Promise<void> {
    for (const job of this.#known.keys()) if (!jobs.has(job)) this.#forget(job)
    const since = this.#changedUntil
    this.#changedUntil = now - OVERLAP
    if (since !== undefined) await this.#readChanges(since - OVERLAP)
    await this.#readUnknown(jobs)
    await this.#lookUpOlder()
  }

  #forget(job: string): void {
    this.#known.delete(job)
    this.#older.delete(job)
    this.#lookedUp.delete(job)
  }

  async #readChanges(changedSince: number): Promise<void> {
    const changes = await ofStore(() => this.#history.read({ changedSince, limit: MOST_CHANGES }))
    if (changes.length >= MOST_CHANGES) {
      this.#known.clear()
      this.#lookedUp.clear()
    }
    for (const entry of changes) {
      this.#changedUntil = Math.max(this.#changedUntil ?? 0, entry.changedAt)
      if (this.#known.has(entry.job)) this.#learn(entry)
    }
  }

  async #readUnknown(jobs: ReadonlySet<string>): Promise<void> {
    const unknown = [...jobs].filter((job) => !this.#known.has(job))
    for (let from = 0; from < unknown.length; from += CHUNK) {
      const chunk = unknown.slice(from, from + CHUNK)
      const startedAt = performance.now()
      const entries = await ofStore(() => this.#history.latest(chunk, LATEST))
      for (const job of chunk) this.#known.set(job, undefined)
      for (const entry of entries) this.#learn(entry)
      for (const { job } of entries) if (!this.#known.get(job)) this.#older.add(job)
      await breathe(startedAt)
    }
    for (const [job, outcome] of this.#known)
      if (outcome?.failed && outcome.lastSuccess === undefined) this.#older.add(job)
  }

  /** The last success of a job that fails for long, and the last run of one that was missed for long, are further back than what was read. */
  async #lookUpOlder(): Promise<void> {
    const jobs = [...this.#older].filter((job) => this.#known.has(job) && !this.#lookedUp.has(job))
    for (const job of jobs.slice(0, MOST_LOOKUPS)) {
      const startedAt = performance.now()
      for (const outcome of ['succeeded', 'failed'] as const) {
        const [entry] = await ofStore(() => this.#history.read({ job, outcome, limit: 1 }))
        if (entry) this.#learn(entry)
      }
      this.#lookedUp.add(job)
      await breathe(startedAt)
    }
    for (const job of this.#lookedUp) this.#older.delete(job)
  }

  #learn({ job, outcome, at, duration }: RecordedEntry): void {
    if (outcome !== 'succeeded' && outcome !== 'failed' && outcome !== 'lost') return
    const known = this.#known.get(job)
    const success = outcome === 'succeeded' ? at + (duration ?? 0) : undefined
    const lastSuccess = latest(success, known?.lastSuccess)
    const isNewest = known === undefined || at >= known.at
    this.#known.set(
      job,
      isNewest ? { at, failed: outcome !== 'succeeded', duration, lastSuccess } : { ...known, lastSuccess },
    )
  }
}

const latest = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.max(a, b)
