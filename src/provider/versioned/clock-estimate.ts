import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TimeBounds } from './store.ts'

/** The store's clock showed `time` at some moment between `sentAt` and `receivedAt` (monotonic, here). */
export interface ClockSample {
  /** Ms since the epoch, rounded down to the clock's resolution. */
  readonly time: number
  readonly sentAt: number
  readonly receivedAt: number
}

/** This machine's clock, as far as it is needed. */
export interface EstimateClock {
  /** Ms since some fixed moment. Nobody sets it. */
  monotonic(): number
  sleep(ms: number): Promise<unknown>
}

const systemClock: EstimateClock = { monotonic: () => performance.now(), sleep: (ms) => sleep(ms) }

/** How fast the two clocks may drift apart: 0.5 ms a second. NTP sets no clock right faster. */
const DRIFT = 0.0005

/** The delay between two samples while the store's clock is about to show its next value, in ms. */
const SAMPLE_EVERY = 5

/**
 * The time by the clock of a store that shows it coarsely, such as the `Date` header of HTTP. Each sample bounds the difference
 * between that clock and this machine's monotonic one from both sides, and all samples hold at once: their intersection narrows to about a
 * round trip when two samples lie just before and just after the clock shows its next value. The bounds widen with age.
 */
export class ClockEstimate {
  readonly #clock: EstimateClock
  readonly #resolution: number
  /** Store time minus monotonic time lies between `low` and `high`, as of `at`. */
  #offset: { readonly low: number; readonly high: number; readonly at: number } | undefined

  /**
   * @param resolution of the store's clock, in ms: 1,000 if it shows whole seconds
   * @param clock this machine's. @default its own
   */
  constructor(resolution: number, clock: EstimateClock = systemClock) {
    this.#resolution = resolution
    this.#clock = clock
  }

  /** Narrows the bounds to what the sample allows. A sample that contradicts them replaces them: a clock was set. */
  observe({ time, sentAt, receivedAt }: ClockSample): void {
    const sample = { low: time - receivedAt, high: time + this.#resolution - sentAt, at: receivedAt }
    const known = this.#aged()
    const low = Math.max(known.low, sample.low)
    const high = Math.min(known.high, sample.high)
    this.#offset = low <= high ? { low, high, at: receivedAt } : sample
  }

  /** Drops what is known: another server's clock counts from now on. */
  forget(): void {
    this.#offset = undefined
  }

  /** The store's time at present. Undefined without a sample. */
  get bounds(): TimeBounds | undefined {
    if (!this.#offset) return undefined
    const { low, high } = this.#aged()
    const now = this.#clock.monotonic()
    return { earliest: now + low, latest: now + high }
  }

  /** How far the bounds lie apart, in ms. */
  get width(): number {
    const { low, high } = this.#aged()
    return high - low
  }

  /**
   * Takes samples until the bounds are `width` ms apart, or for so long. While no sample could narrow them it waits: only the moment tells at which
   * the store's clock shows its next value.
   */
  async narrow(
    sample: () => Promise<ClockSample>,
    { width, within }: { readonly width: number; readonly within: number },
  ): Promise<void> {
    const deadline = this.#clock.monotonic() + within
    while (this.width > width) {
      const wait = Math.max(SAMPLE_EVERY, this.#untilNextValue())
      if (this.#offset && this.#clock.monotonic() + wait > deadline) return
      if (this.#offset) await this.#clock.sleep(wait)
      this.observe(await sample())
    }
  }

  /** How long no sample can tell anything new, in ms. */
  #untilNextValue(): number {
    const bounds = this.bounds
    if (!bounds) return 0
    const next = (Math.floor(bounds.earliest / this.#resolution) + 1) * this.#resolution
    return next - bounds.latest
  }

  #aged(): { readonly low: number; readonly high: number } {
    if (!this.#offset) return { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
    const age = Math.max(0, this.#clock.monotonic() - this.#offset.at) * DRIFT
    return { low: this.#offset.low - age, high: this.#offset.high + age }
  }
}
