import type { Clock } from '../clock.ts'

/**
 * The wall clock has moved against the monotonic clock by more than this, in ms: it was set, or the machine was
 * suspended.
 */
const JUMP = 500

/** A moment, and the jumps of the wall clock that were seen until then. */
export interface Moment {
  /** By the monotonic clock, in ms. */
  readonly monotonic: number
  /** By how many ms the wall clock had jumped ahead of the monotonic clock. */
  readonly jumped: number
  /** How many times the wall clock had jumped, ahead or back. */
  readonly jumps: number
}

/**
 * Sees jumps of the wall clock. The monotonic clock stands still while the machine is suspended, and the wall clock
 * shows that on waking. But it may also have been set. Small differences add up, so no series of short suspensions goes
 * unseen.
 */
export class ClockJumps {
  readonly #clock: Clock
  #wallAhead: number
  #jumped = 0
  #jumps = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#wallAhead = clock.now() - clock.monotonic()
  }

  /** The present. Compares the clocks, so a jump is seen at the first call after it. */
  now(): Moment {
    const monotonic = this.#clock.monotonic()
    const jump = this.#clock.now() - monotonic - this.#wallAhead
    if (Math.abs(jump) > JUMP) {
      this.#wallAhead += jump
      this.#jumped += Math.max(0, jump)
      this.#jumps++
    }
    return { monotonic, jumped: this.#jumped, jumps: this.#jumps }
  }
}
