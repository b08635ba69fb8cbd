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
  #reading: Promise<void> | undefined
  #notBefore = Number.NEGATIVE_INFINITY

  /** `onForgotten` is called when this machine's own clock counts again, as the store could not be asked. */
  constructor(context: SchedulerContext, onForgotten: () => void) {
    this.#context = context
    this.#onForgotten = onForgotten
  }

  /** Called now and then: requests the store's clock when the reading is old, or may be stale. */
  check(anyName: string | undefined): void {
    const { storeClock, clock } = this.#context
    if (anyName === undefined || this.#reading) return
    const isOld = (storeClock.readingAge ?? Number.POSITIVE_INFINITY) > STALE_AFTER
    if (storeClock.mayBeStale || (isOld && clock.monotonic() >= this.#notBefore))
      this.#context.track(this.readClock(anyName))
  }

  /**
   * Requests the store's clock, once for all who wait for it. Afterwards its reading is not stale any more. Never
   * rejects.
   */
  readClock(anyName: string): Promise<void> {
    this.#reading ??= this.#readClock(anyName).finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readClock(anyName: string): Promise<void> {
    const { acquireContext, storeClock, clock } = this.#context
    try {
      // Once more when the wall clock jumped while the request was on its way.
      do await acquireContext.client.readClock(anyName, acquireContext.label)
      while (storeClock.mayBeStale)
    } catch (error) {
      this.#notBefore = clock.monotonic() + RETRY_AFTER
      emitStoreError(this.#context, 'read', undefined, error)
      // An old reading is better than none: by a wrong clock of its own this node would be early, and take ticks that
      // lie ahead.
      if (!storeClock.mayBeStale) return
      storeClock.forget()
      this.#onForgotten()
    }
  }

  /** Reports a difference once, and once more when it is gone. */
  report(): void {
    const { storeClock, events } = this.#context
    if (storeClock.mayBeStale) return
    const { skew, uncertainty } = storeClock
    const off = Math.abs(skew) - (uncertainty ?? 0) > NOTABLE_SKEW
    if (off === this.#reported) return
    this.#reported = off
    events.emit('clock-skew', () => ({ skew, uncertainty }))
  }
}
