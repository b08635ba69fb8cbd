import type { Clock, Timer } from '../../../src/clock.ts'
import type { ManualClock } from '../../../src/testing/manual-clock.ts'

/** The clocks of one machine among several that live in the same time: its wall clock may be wrong, and it may sleep. */
export class NodeClock implements Clock {
  /** By how many ms its wall clock is ahead. */
  wallAhead: number
  /** The longest timer that was asked for. */
  longestTimer = 0
  readonly #time: ManualClock
  #stoodStill = 0
  #missed: Set<() => void> | undefined

  constructor(time: ManualClock, wallAhead = 0) {
    this.#time = time
    this.wallAhead = wallAhead
  }

  now(): number {
    return this.#time.now() + this.wallAhead
  }

  monotonic(): number {
    return this.#time.monotonic() - this.#stoodStill
  }

  setTimer(ms: number, callback: () => void): Timer {
    this.longestTimer = Math.max(this.longestTimer, ms)
    const timer = this.#time.setTimer(ms, () => {
      if (this.#missed) this.#missed.add(callback)
      else callback()
    })
    return {
      cancel: () => {
        timer.cancel()
        this.#missed?.delete(callback)
      },
    }
  }

  /** The machine sleeps, or the process is stopped, for so long: no timer fires. On some machines the monotonic clock stands still as well. */
  async sleep(ms: number, { monotonicStandsStill = false } = {}): Promise<void> {
    this.#missed = new Set()
    await this.#time.advance(ms)
    const missed = this.#missed
    this.#missed = undefined
    if (monotonicStandsStill) this.#stoodStill += ms
    for (const callback of missed) callback()
    await this.#time.settle()
  }
}
