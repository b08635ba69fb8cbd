import { StoreError } from '../../src/errors.ts'

/** How long a call may take in all where its caller says nothing, in ms. */
const LONGEST_CALL = 30_000

/** How long a write waits for a locked record at most, in ms. */
const LONGEST_BUSY = 1_000

/** The time of one call: no command of it may run, or wait, on the server for longer than the caller waits. */
export class CallTime {
  readonly #timeout: number
  readonly #end: number

  constructor(timeout: number = LONGEST_CALL) {
    this.#timeout = timeout
    this.#end = performance.now() + timeout
  }

  /** Whether what is left is only enough to read what became of the call. */
  get late(): boolean {
    return this.#left < this.#timeout / 4
  }

  /** A part of what is left, in ms, after which there is time to do otherwise. */
  get third(): number {
    return this.#left / 3
  }

  /**
   * How long a write may wait on the server for a record that the transaction of a stranger has locked, in ms. MongoDB has no write that
   * fails at once instead, except inside a transaction of its own.
   */
  get busyBound(): number {
    return Math.min(LONGEST_BUSY, this.#timeout / 8)
  }

  /**
   * The bound of the next command, in ms.
   *
   * @throws {StoreError} when the call's time is over.
   */
  maxTimeMS(bound = Number.POSITIVE_INFINITY): number {
    if (this.#left <= 0) throw new StoreError(`mongodb: the call took longer than its ${Math.round(this.#timeout)} ms`)
    // 0 would be no bound at all, and MongoDB takes 31 bits.
    return Math.max(1, Math.ceil(Math.min(bound, this.#left, 2 ** 31 - 1)))
  }

  get #left(): number {
    return this.#end - performance.now()
  }
}
