import { type Clock, sleep } from '../clock.ts'

/** What goes on in the background, so that a stop can wait for it. */
export class Pending {
  readonly #clock: Clock
  readonly #onFault: (error: unknown) => void
  readonly #works = new Set<Promise<unknown>>()

  /** `onFault` is told if a work rejects. None does, but for a fault in here, and that is no reason to end the process. */
  constructor(clock: Clock, onFault: (error: unknown) => void) {
    this.#clock = clock
    this.#onFault = onFault
  }

  add(work: Promise<unknown>): void {
    const ended: Promise<unknown> = work.then(
      () => this.#works.delete(ended),
      (error) => {
        this.#works.delete(ended)
        this.#onFault(error)
      },
    )
    this.#works.add(ended)
  }

  /** False when something still goes on after so many ms. */
  async idleWithin(ms: number): Promise<boolean> {
    const until = this.#clock.monotonic() + ms
    while (this.#works.size > 0) {
      const left = until - this.#clock.monotonic()
      if (left <= 0) return false
      const ended = new AbortController()
      const timeUp = sleep(this.#clock, left, ended.signal).catch(() => {})
      await Promise.race([Promise.all(this.#works), timeUp])
      ended.abort()
    }
    return true
  }
}
