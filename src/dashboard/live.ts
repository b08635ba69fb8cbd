import type { RecordedEntry, RecordedNode } from '../provider/history.ts'
import type { Counts } from './overview.ts'
import type { View } from './view.ts'

/** What those who look are sent. */
export interface Update {
  readonly now: number
  readonly counts: Counts | undefined
  readonly entries: readonly RecordedEntry[]
  readonly nodes: readonly RecordedNode[]
}

export interface Listener {
  /** An {@link Update} as JSON, made once for all. */
  update(json: string): void
  close(): void
}

/** A write may become visible this much later than its time, in ms: transactions end in another order than they begin. */
const OVERLAP = 5_000

/** Reads what is new from the store while somebody looks, once for all who do. */
export class Live {
  readonly #view: View
  readonly #every: number
  readonly #listeners = new Set<Listener>()
  /** What was sent of the last seconds: by id, when it was written. */
  #sent = new Map<string, number>()
  #since: number | undefined
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #closed = false

  constructor(view: View, every: number) {
    this.#view = view
    this.#every = every
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#arm(0)
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#rest()
    }
  }

  close(): void {
    this.#closed = true
    for (const listener of [...this.#listeners]) listener.close()
    this.#listeners.clear()
    this.#rest()
  }

  #rest(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#since = undefined
    this.#sent.clear()
  }

  #arm(ms: number): void {
    if (this.#closed || this.#looking || this.#listeners.size === 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#looking = true
      void this.#look().finally(() => {
        this.#looking = false
        this.#arm(this.#every)
      })
    }, ms)
    this.#timer.unref()
  }

  /** Never rejects: while the store fails there is nothing to send, and the page shows that its time stands still. */
  async #look(): Promise<void> {
    try {
      const now = this.#view.now()
      const since = (this.#since ?? now - OVERLAP) - OVERLAP
      const [changed, nodes, counts] = await Promise.all([
        this.#view.changedSince(since),
        this.#view.nodes(),
        this.#view.counts(),
      ])
      if (this.#listeners.size === 0) return
      const entries = changed.filter(({ id, changedAt }) => this.#sent.get(id) !== changedAt)
      this.#since = changed.reduce((latest, { changedAt }) => Math.max(latest, changedAt), since + OVERLAP)
      this.#sent = new Map(changed.map(({ id, changedAt }) => [id, changedAt]))
      const json = JSON.stringify({ now, counts, entries, nodes } satisfies Update)
      for (const { update } of [...this.#listeners]) update(json)
    } catch {
      // The next look sends what this one has not.
    }
  }
}
