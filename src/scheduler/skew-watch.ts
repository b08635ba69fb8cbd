import { type Engine, tellStoreError } from './engine.ts'

/** A difference between this machine's clock and the store's that is reported, in ms. */
export const NOTABLE_SKEW = 1_000
/** A reading of the store's clock is renewed after so long, in ms, if no answer has brought one by itself. */
const STALE_AFTER = 60_000
/** After an ask that failed the next one waits so long, in ms. */
const RETRY_AFTER = 5_000

/** Keeps the reading of the store's clock fresh, and says when this machine's clock is off. */
export class SkewWatch {
  readonly #engine: Engine
  readonly #onForgotten: () => void
  #told = false
  #asking: Promise<void> | undefined
  #notBefore = Number.NEGATIVE_INFINITY

  /** `onForgotten` is called when this machine's own clock counts again, as the store could not be asked. */
  constructor(engine: Engine, onForgotten: () => void) {
    this.#engine = engine
    this.#onForgotten = onForgotten
  }

  /** Called now and then: requests the store's clock when the reading is old, or may be stale. */
  look(anyName: string | undefined): void {
    const { time, clock } = this.#engine
    if (anyName === undefined || this.#asking) return
    const isOld = (time.readingAge ?? Number.POSITIVE_INFINITY) > STALE_AFTER
    if (time.mayBeStale || (isOld && clock.monotonic() >= this.#notBefore)) this.#engine.track(this.ask(anyName))
  }

  /** Requests the store's clock, once for all who wait for it. Afterwards its reading is not stale any more. Never rejects. */
  ask(anyName: string): Promise<void> {
    this.#asking ??= this.#ask(anyName).finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #ask(anyName: string): Promise<void> {
    const { asker, time, clock } = this.#engine
    try {
      // Once more when the wall clock jumped while the request was on its way.
      do await asker.store.readClock(anyName, asker.label)
      while (time.mayBeStale)
    } catch (error) {
      this.#notBefore = clock.monotonic() + RETRY_AFTER
      tellStoreError(this.#engine, 'read', undefined, error)
      // An old reading is better than none: by a wrong clock of its own this node would be early, and take ticks that lie ahead.
      if (!time.mayBeStale) return
      time.forget()
      this.#onForgotten()
    }
  }

  /** Tells of a difference once, and once more when it is gone. */
  tell(): void {
    const { time, events } = this.#engine
    if (time.mayBeStale) return
    const { skew, uncertainty } = time
    const off = Math.abs(skew) - (uncertainty ?? 0) > NOTABLE_SKEW
    if (off === this.#told) return
    this.#told = off
    events.emit('clock-skew', () => ({ skew, uncertainty }))
  }
}
