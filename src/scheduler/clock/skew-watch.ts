import { emitStoreError, type SchedulerContext } from '../scheduler-context.ts'

/** A difference between this machine's clock and the store's that is reported, in ms. */
export const NOTABLE_SKEW = 1_000
/** A reading of the store's clock is renewed after so long, in ms, if no answer has brought one by itself. */
const STALE_AFTER = 60_000
/** After an ask that failed the next one waits so long, in ms. */
const RETRY_AFTER = 5_000

/** Keeps the reading of the store's clock fresh, and says when this machine's clock is off. */
export class SkewWatch {
  readonly #context: SchedulerContext
  readonly #onForgotten: () => void
  #reported = false
  #reading = false
  /** The wall clock jumped, and the store has not been asked since: the machine may have slept, and what is known be too old by that. */
  #doubtful = false
  #notBefore = Number.NEGATIVE_INFINITY

  /** `onForgotten` is called when this machine's own clock counts again, as the store could not be asked. */
  constructor(context: SchedulerContext, onForgotten: () => void) {
    this.#context = context
    this.#onForgotten = onForgotten
  }

  /** Called now and then: reads the store's clock when the reading is old, or when this machine's clock has jumped. */
  check(anyName: string | undefined): void {
    const { storeClock, clock } = this.#context
    if (storeClock.jumped()) {
      this.#doubtful = true
      this.#notBefore = Number.NEGATIVE_INFINITY
    }
    if (anyName === undefined || this.#reading || clock.monotonic() < this.#notBefore) return
    const stale = (storeClock.readingAge ?? Number.POSITIVE_INFINITY) > STALE_AFTER
    if (this.#doubtful || stale) this.#context.track(this.readClock(anyName))
  }

  /** Asks the store for its clock. Never rejects. */
  async readClock(anyName: string): Promise<void> {
    const { acquireContext, storeClock, clock } = this.#context
    const doubtful = this.#doubtful
    this.#doubtful = false
    this.#reading = true
    try {
      await acquireContext.client.readClock(anyName, acquireContext.label)
    } catch (error) {
      this.#notBefore = clock.monotonic() + RETRY_AFTER
      emitStoreError(this.#context, 'read', undefined, error)
      // An old reading is better than none: by a wrong clock of its own this node would be early, and take ticks that lie ahead.
      if (doubtful) {
        storeClock.forget()
        this.#onForgotten()
      }
    } finally {
      this.#reading = false
    }
  }

  /** Reports a difference once, and once more when it is gone. */
  report(): void {
    const { storeClock, events } = this.#context
    const { skew, uncertainty } = storeClock
    const off = Math.abs(skew) - (uncertainty ?? 0) > NOTABLE_SKEW
    if (off === this.#reported) return
    this.#reported = off
    events.emit('clock-skew', () => ({ skew, uncertainty }))
  }
}
