/** No replica is further behind than this, in ms. */
export const FURTHEST_BEHIND = 60_000

interface Write<Value> {
  readonly at: number
  readonly key: string
  readonly was: Value | undefined
}

/** What a server keeps, and what it kept a short time ago: that is what a replica has which is behind. */
export class Kept<Value> {
  readonly #now: () => number
  readonly #values = new Map<string, Value>()
  #writes: Write<Value>[] = []
  /** When there are so many writes, the old ones are dropped. */
  #most = 1_000

  /** @param now true time */
  constructor(now: () => number) {
    this.#now = now
  }

  get(key: string): Value | undefined {
    return this.#values.get(key)
  }

  all(): Iterable<Value> {
    return this.#values.values()
  }

  keys(): Iterable<string> {
    return this.#values.keys()
  }

  put(key: string, value: Value): void {
    this.#note(key)
    this.#values.set(key, value)
  }

  /** Replaces a value, if there is one. */
  change(key: string, change: (value: Value) => Value): void {
    const value = this.get(key)
    if (value !== undefined) this.put(key, change(value))
  }

  drop(key: string): void {
    this.#note(key)
    this.#values.delete(key)
  }

  clear(): void {
    this.#values.clear()
    this.#writes = []
  }

  /** Undoes what was written in the last so many ms of true time. */
  forget(ms: number): void {
    if (!(ms >= 0 && ms <= FURTHEST_BEHIND)) {
      throw new RangeError(`a replica may be 0 to ${FURTHEST_BEHIND} ms behind, not ${ms}`)
    }
    const since = this.#now() - ms
    for (let write = this.#writes.at(-1); write && write.at > since; write = this.#writes.at(-1)) {
      this.#writes.pop()
      if (write.was === undefined) this.#values.delete(write.key)
      else this.#values.set(write.key, write.was)
    }
  }

  #note(key: string): void {
    const at = this.#now()
    this.#writes.push({ at, key, was: this.#values.get(key) })
    if (this.#writes.length < this.#most) return
    this.#writes = this.#writes.filter((write) => write.at >= at - FURTHEST_BEHIND)
    this.#most = Math.max(1_000, 2 * this.#writes.length)
  }
}
