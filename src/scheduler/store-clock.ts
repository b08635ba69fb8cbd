import type { Clock } from '../clock.ts'
import type { ClockReading } from '../lock/store.ts'

/** How fast two clocks may drift apart, for the ageing of a reading: 500 ms in 1,000 s, more than any working crystal does. */
const DRIFT = 0.0005

/** A difference between wall and monotonic clock that is a jump (somebody set the clock, or the machine slept), in ms. */
const JUMP = 500

/** Some stores tell their clock in whole milliseconds: a wide reading must not take a narrow one's place on that account. */
const WHOLE = 1

/**
 * The time by the store's clock, as well as it is known here. Every answer says what the store's clock showed at some moment between
 * its sending and its arrival, which bounds the difference from this machine's monotonic clock by the round trip (as NTP bounds it,
 * RFC 5905 section 8). The best reading is kept until a newer one is better than it, its age counted against it.
 *
 * While the machine's own wall clock lies within those bounds it is taken as it is.
 */
export class StoreClock {
  readonly #clock: Clock
  /** Store time minus monotonic time lies between `low` and `high`; read at `at` (monotonic). */
  #bounds: { readonly low: number; readonly high: number; readonly at: number } | undefined
  #wallAhead: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#wallAhead = clock.now() - clock.monotonic()
  }

  /** Ms since the epoch, by the store's clock where it is known, else by this machine's. */
  now(): number {
    const monotonic = this.#clock.monotonic()
    return monotonic + this.#ahead(this.#clock.now() - monotonic)
  }

  /** By how many ms this machine's wall clock is ahead of the store's (negative: behind), 0 when it may be right. */
  get skew(): number {
    const wallAhead = this.#clock.now() - this.#clock.monotonic()
    return wallAhead - this.#ahead(wallAhead)
  }

  /** By how much {@link StoreClock.skew} may be wrong, either way, in ms; undefined when there is no reading. */
  get uncertainty(): number | undefined {
    return this.#bounds && (this.#bounds.high - this.#bounds.low) / 2 + this.#age()
  }

  /** The age of the reading in use, in ms; undefined when there is none. */
  get readingAge(): number | undefined {
    return this.#bounds && this.#clock.monotonic() - this.#bounds.at
  }

  /** Takes in a reading. */
  observe({ storeTime, sentAt, receivedAt }: ClockReading): void {
    const reading = { low: storeTime - receivedAt, high: storeTime - sentAt, at: receivedAt }
    const known = this.#bounds
    const slack = this.#age() + WHOLE
    const agrees = known && reading.low <= known.high + slack && reading.high >= known.low - slack
    const better = known && reading.high - reading.low <= known.high - known.low + 2 * this.#age()
    if (!agrees || better) this.#bounds = reading
  }

  /** Drops what is known, so that the machine's own clock counts until the next reading. */
  forget(): void {
    this.#bounds = undefined
  }

  /**
   * True when the wall clock has jumped against the monotonic one since the last call: it was set, or the machine slept while its
   * monotonic clock stood still. Then what is known of the store's clock has to be read anew.
   */
  jumped(): boolean {
    const wallAhead = this.#clock.now() - this.#clock.monotonic()
    const jumped = Math.abs(wallAhead - this.#wallAhead) > JUMP
    this.#wallAhead = wallAhead
    return jumped
  }

  #ahead(wallAhead: number): number {
    const bounds = this.#bounds
    if (!bounds) return wallAhead
    const slack = this.#age()
    if (wallAhead >= bounds.low - slack && wallAhead <= bounds.high + slack) return wallAhead
    return (bounds.low + bounds.high) / 2
  }

  /** What the age of the reading adds to its bounds, in ms. */
  #age(): number {
    return (this.readingAge ?? 0) * DRIFT
  }
}
