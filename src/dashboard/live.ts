import type { RecordedEntry, RecordedNode } from '../provider/history.ts'
import type { View } from './view.ts'

/** What is told to those who look. */
export interface Update {
  readonly now: number
  readonly entries: readonly RecordedEntry[]
  readonly nodes: readonly RecordedNode[]
}

type Listener = (update: Update) => void

/** A write may become visible so long after its time, in ms: transactions end in another order than they begin. */
const OVERLAP = 5_000

/** Asks the store for what is new while somebody looks, once for all who do. */
export class Live {
  readonly #view: View
  readonly #every: number
  readonly #listeners = new Set<Listener>()
  /** What was told of the last seconds: by id, when it was written. */
  #told = new Map<string, number>()
  #since: number | undefined
  #timer: NodeJS.Timeout | undefined
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
    this.#listeners.clear()
    this.#rest()
  }

  #rest(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#since = undefined
    this.#told.clear()
  }

  #arm(ms: number): void {
    if (this.#closed || this.#listeners.size === 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look().finally(() => this.#arm(this.#every)), ms)
    this.#timer.unref()
  }

  /** Never rejects: while the store fails there is nothing to tell, and the page shows that its time stands still. */
  async #look(): Promise<void> {
    try {
      const now = this.#view.now()
      this.#since ??= now - OVERLAP
      const [changed, nodes] = await Promise.all([this.#view.changedSince(this.#since - OVERLAP), this.#view.nodes()])
      const entries = changed.filter(({ id, changedAt }) => this.#told.get(id) !== changedAt)
      this.#since = Math.max(this.#since, ...changed.map(({ changedAt }) => changedAt))
      this.#told = new Map(changed.map(({ id, changedAt }) => [id, changedAt]))
      for (const listener of this.#listeners) listener({ now, entries, nodes })
    } catch {
      // The next look tells what this one has not.
    }
  }
}
