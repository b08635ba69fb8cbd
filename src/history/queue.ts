import type { HistoryEntry } from '../provider/history.ts'

/** Entries that wait to be written, in order, each id once. Bounded: what comes on top is dropped and counted. */
export class Queue {
  readonly #most: number
  #waiting = new Map<string, HistoryEntry>()
  #dropped = 0

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#waiting.size
  }

  add(entry: HistoryEntry): void {
    const begins = entry.outcome === 'running'
    // Beginnings leave half of the room to what counts: ends, skips and misses.
    const room = begins ? this.#most / 2 : this.#most
    // The end of a run takes the place of its beginning.
    if (this.#waiting.size < room || this.#waiting.has(entry.id)) this.#waiting.set(entry.id, entry)
    else if (!begins) this.#dropped++
  }

  /** The first `most` entries; they stay until they are {@link Queue.done}. */
  first(most: number): HistoryEntry[] {
    const entries: HistoryEntry[] = []
    for (const entry of this.#waiting.values()) if (entries.push(entry) === most) break
    return entries
  }

  /** Takes out what was written, but for what has changed since. */
  done(written: readonly HistoryEntry[]): void {
    for (const entry of written) if (this.#waiting.get(entry.id) === entry) this.#waiting.delete(entry.id)
  }

  /** How many were dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped
    this.#dropped = 0
    return dropped
  }
}
