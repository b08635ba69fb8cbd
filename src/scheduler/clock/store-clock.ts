import type { Clock } from '../../clock.ts'
import type { ClockReading } from '../../lock/provider-client.ts'

/** How fast two clocks may drift apart, for the ageing of a reading: 500 ms in 1,000 s, more than any working crystal does. */
const DRIFT = 0.0005

/** A difference between wall and monotonic clock that is a jump (somebody set the clock, or the machine slept), in ms. */
const JUMP = 500

/** Some stores tell their clock in whole milliseconds: readings that differ by no more don't contradict each other. */
const WHOLE = 1

/**
 * The time by the store's clock, as well as it is known here. Every answer says what the store's clock showed at some moment between
 * its sending and its arrival, which bounds the difference from this machine's monotonic clock by the round trip (as NTP bounds it,
 * RFC 5905 section 8). What is known is narrowed by each reading, and widens as it ages.
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

  /** Whether {@link StoreClock.uncertainty} is so many ms at most. */
  isKnownWithin(ms: number): boolean {
    return (this.uncertainty ?? Number.POSITIVE_INFINITY) <= ms
  }

  /** The age of the reading in use, in ms; undefined when there is none. */
  get readingAge(): number | undefined {
    return this.#bounds && this.#clock.monotonic() - this.#bounds.at
  }

  /**
   * Takes in a reading: what both it and the known one allow (Marzullo's intersection), or the reading alone when they contradict each
   * other. So an answer that shows that this node was early corrects it by at least as much, however long the answer was under way.
   */
  observe({ storeTime, sentAt, receivedAt }: ClockReading): void {
    const reading = { low: storeTime - receivedAt, high: storeTime - sentAt, at: receivedAt }
    const known = this.#bounds
    if (!known) {
      this.#bounds = reading
      return
    }
    const age = this.#age()
    if (reading.low <= known.low - age && reading.high >= known.high + age) return
    const low = Math.max(known.low - age, reading.low)
    const high = Math.min(known.high + age, reading.high)
    if (low > high + WHOLE) this.#bounds = reading
    else this.#bounds = { low: Math.min(low, high), high: Math.max(low, high), at: receivedAt }
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
