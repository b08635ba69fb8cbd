/** Since when the store can't be reached, by what its calls have come to. */
export class StoreAvailability {
  #since: number | undefined

  /** Ms since the epoch; undefined when its last call was answered. */
  get unreachableSince(): number | undefined {
    return this.#since
  }

  failed(now: number): void {
    this.#since ??= now
  }

  responded(): void {
    this.#since = undefined
  }
}
