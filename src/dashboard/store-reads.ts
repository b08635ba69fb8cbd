import { systemClock, within } from '../clock.ts'
import { StoreError } from '../errors.ts'

/** The most reads under way at a time, and the most that wait for their turn. */
const MOST_AT_ONCE = 6
const MOST_WAITING = 60
/** How long a response waits for the store, in ms. */
const DEADLINE = 10_000
/** A read whose store never responds gives its turn to others after this many ms. */
const FORGOTTEN_AFTER = 60_000

/** There are more requests than the store is asked to serve. */
export class TooBusyError extends Error {
  override readonly name = 'TooBusyError'
}

/** Bounds what those who look cost the store: one read for all equal requests of the moment, and few reads at a time. */
export class StoreReads {
  readonly #shared = new Map<string, Promise<unknown>>()
  readonly #waiting: (() => void)[] = []
  #underWay = 0

  /**
   * The result of `read`, which requests with an equal key share.
   *
   * @throws {TooBusyError} when too many reads wait.
   * @throws {StoreError} when the result takes longer than 10 s.
   */
  read<T>(key: string, read: () => Promise<T>): Promise<T> {
    const shared = this.#shared.get(key) as Promise<T> | undefined
    if (shared) return shared
    const fresh = this.#inTurn(read).finally(() => this.#shared.delete(key))
    this.#shared.set(key, fresh)
    return fresh
  }

  async #inTurn<T>(read: () => Promise<T>): Promise<T> {
    if (this.#underWay >= MOST_AT_ONCE) {
      if (this.#waiting.length >= MOST_WAITING) throw new TooBusyError('too many requests at a time')
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#underWay++
    const result = read()
    void inTime(FORGOTTEN_AFTER, result)
      .catch(() => {})
      .then(() => this.#passOn())
    return inTime(DEADLINE, result)
  }

  /** The turn goes to the next in line. */
  #passOn(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#underWay--
  }
}

const inTime = <T>(ms: number, result: Promise<T>): Promise<T> => {
  const late = (): StoreError => new StoreError(`the store did not respond within ${ms / 1_000} s`)
  return within(systemClock, ms, result, late, { background: true })
}

/** What the store returns within 10 s. @throws {StoreError} for whatever it rejects with. */
export async function ofStore<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await inTime(DEADLINE, call())
  } catch (error) {
    throw error instanceof StoreError ? error : new StoreError('the store failed', { cause: error })
  }
}
