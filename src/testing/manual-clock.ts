import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Clock, LONGEST_TIMER, type Timer } from '../clock.ts'

/** How many turns of the event loop are granted to work that a timer set off, before time goes on. */
const TURNS = 10

interface Armed {
  readonly due: number
  readonly callback: () => void
}

export interface ManualClockOptions {
  /** What the wall clock shows at first, in ms since the epoch. @default 2024-01-01T00:00:00Z */
  readonly now?: number
}

/**
 * A {@link Clock} that stands still until it is told to move, for tests of whatever takes a clock: hours pass in
 * milliseconds, and always in the same order.
 */
export class ManualClock implements Clock {
  readonly #armed = new Set<Armed>()
  #monotonic = 1_000
  #wallAhead: number

  constructor({ now = Date.UTC(2024, 0, 1) }: ManualClockOptions = {}) {
    this.#wallAhead = now - this.#monotonic
  }

  now(): number {
    return this.#monotonic + this.#wallAhead
  }

  monotonic(): number {
    return this.#monotonic
  }

  /** How many timers are set and have not fired. */
  get pending(): number {
    return this.#armed.size
  }

  /** @throws {RangeError} for more than {@link LONGEST_TIMER}, and for what is no length of time: a real timer would fire at once. */
  setTimer(ms: number, callback: () => void): Timer {
    if (!(ms >= 0 && ms <= LONGEST_TIMER)) {
      throw new RangeError(`a timer takes 0 to ${LONGEST_TIMER} ms, but was asked for ${ms}`)
    }
    const timer: Armed = { due: this.#monotonic + ms, callback }
    this.#armed.add(timer)
    return { cancel: () => void this.#armed.delete(timer) }
  }

  /**
   * Lets `ms` milliseconds pass on both clocks. Timers fire in order of their time, those of the same time in the order in
   * which they were set; before each of them, and at the end, what earlier ones set off is given a few turns of the event
   * loop to run as far as it can.
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`time passes forward: advance takes 0 ms or more, but was given ${ms}`)
    const until = this.#monotonic + ms
    await this.settle()
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#armed.delete(next)
      this.#monotonic = Math.max(this.#monotonic, next.due)
      next.callback()
      await this.settle()
    }
    this.#monotonic = Math.max(this.#monotonic, until)
    await this.settle()
  }

  /** Makes the wall clock jump by so many ms (back when negative), as setting the time does. No timer notices. */
  jump(ms: number): void {
    this.#wallAhead += ms
  }

  /**
   * Lets time pass on both clocks without a timer firing or anything else happening, as for a process that is stopped (SIGSTOP). The timers that
   * are over by then fire at the next {@link ManualClock.advance}.
   */
  sleepThrough(ms: number): void {
    this.#monotonic += ms
  }

  /** Gives work that needs no more time the chance to get done: microtasks, and a few turns of the event loop. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await nextTurn()
  }

  #next(until: number): Armed | undefined {
    let next: Armed | undefined
    for (const timer of this.#armed) {
      if (timer.due <= until && (!next || timer.due < next.due)) next = timer
    }
    return next
  }
}
