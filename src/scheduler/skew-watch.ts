import { type Engine, tellStoreError } from './engine.ts'

/** A difference between this machine's clock and the store's that people should hear of, in ms. */
const WORTH_TELLING = 1_000
/** A reading of the store's clock is renewed after so long, in ms, if no answer has brought one by itself. */
const STALE_AFTER = 60_000

/** Keeps the reading of the store's clock fresh, and says when this machine's clock is off. */
export class SkewWatch {
  readonly #engine: Engine
  #told = false
  #asking = false

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Called now and then: asks for the store's clock when the reading is old, or when this machine's clock has jumped. */
  look(anyName: string | undefined): void {
    const { time } = this.#engine
    const jumped = time.jumped()
    if (anyName === undefined || this.#asking) return
    if (jumped || (time.readingAge ?? Number.POSITIVE_INFINITY) > STALE_AFTER) this.#engine.track(this.ask(anyName))
  }

  /** Asks the store for its clock. Never rejects: without an answer this machine's own clock counts. */
  async ask(anyName: string): Promise<void> {
    const { asker, time } = this.#engine
    this.#asking = true
    try {
      await asker.store.readClock(anyName, asker.label)
    } catch (error) {
      time.forget()
      tellStoreError(this.#engine, 'read', undefined, error)
    } finally {
      this.#asking = false
    }
  }

  /** Tells of a difference once, and once more when it is gone. */
  tell(): void {
    const { time, events } = this.#engine
    const { skew, uncertainty } = time
    const off = Math.abs(skew) - (uncertainty ?? 0) > WORTH_TELLING
    if (off === this.#told) return
    this.#told = off
    events.emit('clock-skew', () => ({ skew, uncertainty }))
  }
}
