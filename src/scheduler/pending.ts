import { type Clock, sleep } from '../clock.ts'

/** What goes on in the background, so that a stop can wait for it. Counted: thousands of runs begin at once. */
export class Pending {
  readonly #clock: Clock
  readonly #ended: () => void
  readonly #failed: (error: unknown) => void
  #works = 0
  #whenIdle: (() => void)[] = []

  /** `onFault` is told if a work rejects. None does, but for a fault in here, and that is no reason to end the process. */
  constructor(clock: Clock, onFault: (error: unknown) => void) {
    this.#clock = clock
    this.#ended = () => {
      this.#works--
      if (this.#works > 0) return
      for (const idle of this.#whenIdle) idle()
      this.#whenIdle = []
    }
    this.#failed = (error) => {
      this.#ended()
      onFault(error)
    }
  }

  add(work: Promise<unknown>): void {
    this.#works++
    work.then(this.#ended, this.#failed)
  }

  /** False when something still goes on after so many ms. */
  async idleWithin(ms: number): Promise<boolean> {
    const until = this.#clock.monotonic() + ms
    while (this.#works > 0) {
      const left = until - this.#clock.monotonic()
      if (left <= 0) return false
      const ended = new AbortController()
      const timeUp = sleep(this.#clock, left, ended.signal).catch(() => {})
      await Promise.race([new Promise<void>((resolve) => this.#whenIdle.push(resolve)), timeUp])
      ended.abort()
    }
    return true
  }
}
