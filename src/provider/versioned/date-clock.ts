import type { ClockEstimate, ClockSample } from './clock-estimate.ts'
import type { TimeBounds } from './store.ts'

/** `Date` shows whole seconds: the resolution of its `ClockEstimate`, in ms. */
export const DATE_RESOLUTION = 1_000

/** The bounds of the time are narrowed to this, in ms. */
const NARROW = 20
/** Wider bounds are narrowed before anything is decided, since they delay a takeover; in ms. */
const TOO_WIDE = 250
/** A new second begins within this time, in ms, and two round trips. */
const NARROWS_WITHIN = 1_500

/**
 * The clock of a store that shows it only in the `Date` header of its responses. Measures it when it is read, and
 * beside the requests later.
 */
export class DateClock {
  readonly #estimate: ClockEstimate
  readonly #sample: () => Promise<ClockSample>
  #narrowing: Promise<void> | undefined

  /**
   * @param estimate which observes the `Date` of every response
   * @param sample sends a cheap request for its `Date`
   */
  constructor(estimate: ClockEstimate, sample: () => Promise<ClockSample>) {
    this.#estimate = estimate
    this.#sample = sample
  }

  /**
   * The store's time at present. Takes up to a second while little is known. Rejects when a sample fails that is
   * needed.
   */
  async now(): Promise<TimeBounds> {
    if (this.#estimate.width > NARROW && !this.#narrowing) {
      this.#narrowing = this.#narrow()
      // A failure matters only to whoever waits for it.
      this.#narrowing.catch(() => {})
    }
    if (this.#estimate.width > TOO_WIDE) await this.#narrowing
    // Without bounds the server has changed meanwhile, and its clock is another one.
    return this.#estimate.bounds ?? (await this.now())
  }

  async #narrow(): Promise<void> {
    try {
      await this.#estimate.narrow(this.#sample, { width: NARROW, within: NARROWS_WITHIN })
    } finally {
      this.#narrowing = undefined
    }
  }
}
