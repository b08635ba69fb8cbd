import type { Clock } from '../../clock.ts'
import type { ClockJumps } from '../../lock/clock-jumps.ts'
import type { ClockReading } from '../../lock/provider-client.ts'

/** How fast two clocks may drift apart, for the ageing of a reading: 500 ms in 1,000 s, more than any working crystal does. */
const DRIFT = 0.0005

/** Some stores tell their clock in whole milliseconds: readings that differ by no more don't contradict each other. */
const WHOLE = 1

/** Store time minus monotonic time lies between `low` and `high`. */
interface Bounds {
  readonly low: number
  readonly high: number
  /** When they were read (monotonic). */
  readonly at: number
  /** How many jumps of the wall clock had been seen by then. */
  readonly jumps: number
}

/**
 * The time by the store's clock, as well as it is known here. Every answer says what the store's clock showed at some moment between
 * its sending and its arrival, which bounds the difference from this machine's monotonic clock by the round trip (as NTP bounds it,
 * RFC 5905 section 8). What is known is narrowed by each reading, and widens as it ages.
 *
 * While the machine's own wall clock lies within those bounds it is taken as it is.
 *
 * After a jump of the wall clock the reading may be stale: if the machine was suspended, its monotonic clock stood
 * still. Only the response to a request that was sent since then shows what time it is.
 */
export class StoreClock {
  readonly #clock: Clock
  readonly #jumps: ClockJumps
  #bounds: Bounds | undefined

  constructor(clock: Clock, jumps: ClockJumps) {
    this.#clock = clock
    this.#jumps = jumps
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

  /** Whether the wall clock has jumped since the reading in use was requested. */
  get mayBeStale(): boolean {
    return this.#bounds !== undefined && this.#bounds.jumps !== this.#jumps.now().jumps
  }

  /** Whether {@link StoreClock.uncertainty} is so many ms at most. */
  isKnownWithin(ms: number): boolean {
    return (this.uncertainty ?? Number.POSITIVE_INFINITY) <= ms && !this.mayBeStale
  }

  /** The age of the reading in use, in ms; undefined when there is none. */
  get readingAge(): number | undefined {
    return this.#bounds && this.#clock.monotonic() - this.#bounds.at
  }

  /**
   * Takes in a reading: what both it and the known one allow (Marzullo's intersection), or the reading alone when they
   * contradict each other. So an answer that shows that this node was early corrects it by at least as much, however
   * long the answer was under way. A reading during which the wall clock jumped says nothing: the machine may have been
   * suspended.
   */
  observe({ storeTime, sent, receivedAt }: ClockReading): void {
    const { jumps } = this.#jumps.now()
    if (sent.jumps !== jumps) return
    const reading: Bounds = { low: storeTime - receivedAt, high: storeTime - sent.monotonic, at: receivedAt, jumps }
    const known = this.#bounds
    if (known?.jumps !== jumps) {
      this.#bounds = reading
      return
    }
    const age = this.#age()
    if (reading.low <= known.low - age && reading.high >= known.high + age) return
    const low = Math.max(known.low - age, reading.low)
    const high = Math.min(known.high + age, reading.high)
    if (low > high + WHOLE) this.#bounds = reading
    else this.#bounds = { ...reading, low: Math.min(low, high), high: Math.max(low, high) }
  }

  /** Drops what is known, so that the machine's own clock counts until the next reading. */
  forget(): void {
    this.#bounds = undefined
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
