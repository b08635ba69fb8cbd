import type { LockProvider } from '../provider/contract.ts'
import { withDeadline } from './calls.ts'

/** The store is read at most so often, in ms, however many probes come. */
const FRESH_FOR = 1_000
const TIMEOUT = 2_000

/** Whether the store behind the server responds. */
export class Readiness {
  readonly #provider: LockProvider
  #reading: Promise<boolean> | undefined
  #readAt = Number.NEGATIVE_INFINITY

  constructor(provider: LockProvider) {
    this.#provider = provider
  }

  isReady(): Promise<boolean> {
    const now = performance.now()
    if (this.#reading && now - this.#readAt < FRESH_FOR) return this.#reading
    this.#readAt = now
    this.#reading = this.#read()
    return this.#reading
  }

  async #read(): Promise<boolean> {
    try {
      await withDeadline(TIMEOUT, this.#provider.read(['ticklock']))
      return true
    } catch {
      return false
    }
  }
}
