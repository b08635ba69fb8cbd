import { type Clock, sleep } from '../clock.ts'
import { isLockNotHeld } from '../errors.ts'

/** A lock as far as its release goes. */
export interface Releasable {
  readonly held: boolean
  /** Ms until the lease is over. */
  readonly remaining: number
  readonly tick: Date | undefined
  release(): Promise<void>
}

export interface ReleaseListener {
  /** The lock was released. */
  released?(): void
}

interface Waiting {
  readonly lock: Releasable
  readonly listener: ReleaseListener
  /** Retries end at this moment (monotonic). */
  readonly giveUpAt: number
  /** Resolves the caller's promise: the lock is released, or its lease is over. */
  readonly settle: () => void
}

const FIRST_DELAY = 100
const LONGEST_DELAY = 1_000

/** How long the end of a tick is still reported after its lease has expired, in ms. */
const REPORT_LATE_FOR = 10 * 60_000

/**
 * Retries the releases that the store did not confirm, all of them as one batch.
 *
 * The race it is there for: the run of an `onCrash: 'rerun'` job has ended, and the store was down until the lease expired. While
 * nobody has taken the lock over, a release still marks the tick as done. So a release for a tick is retried beyond its lease, and
 * more often than other nodes retry to take the tick over.
 */
export class ReleaseRetries {
  readonly #clock: Clock
  readonly #waiting = new Set<Waiting>()
  readonly #ended = new AbortController()
  #looping = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves when the lock is released, its lease is over, or {@link end} was called. Never rejects. */
  add(lock: Releasable, listener: ReleaseListener): Promise<void> {
    // A run that ignored its signal may end after the scheduler. Its provider is closed, so its lease is left to expire.
    if (this.#ended.signal.aborted) return Promise.resolve()
    const giveUpAt = this.#clock.monotonic() + lock.remaining + (lock.tick ? REPORT_LATE_FOR : 0)
    return new Promise((settle) => {
      this.#waiting.add({ lock, listener, giveUpAt, settle })
      if (!this.#looping) void this.#loop()
    })
  }

  /** Retries once more, and then no more. */
  async end(): Promise<void> {
    const last = [...this.#waiting]
    this.#ended.abort()
    await Promise.all(last.map((waiting) => this.#retry(waiting)))
    for (const waiting of last) this.#drop(waiting)
  }

  async #loop(): Promise<void> {
    const { signal } = this.#ended
    this.#looping = true
    for (let delay = FIRST_DELAY; this.#waiting.size > 0; delay = Math.min(delay * 2, LONGEST_DELAY)) {
      await sleep(this.#clock, delay, signal, { background: true }).catch(() => {})
      if (signal.aborted) return
      await Promise.all([...this.#waiting].map((waiting) => this.#retry(waiting)))
    }
    this.#looping = false
  }

  async #retry(waiting: Waiting): Promise<void> {
    const { lock, listener, giveUpAt, settle } = waiting
    if (this.#clock.monotonic() >= giveUpAt) return this.#drop(waiting)
    try {
      await lock.release()
    } catch (error) {
      if (isLockNotHeld(error)) this.#drop(waiting)
      else if (!lock.held) settle()
      return
    }
    // The last retry and one that was under way may both succeed.
    if (this.#waiting.has(waiting)) listener.released?.()
    this.#drop(waiting)
  }

  #drop(waiting: Waiting): void {
    this.#waiting.delete(waiting)
    waiting.settle()
  }
}
