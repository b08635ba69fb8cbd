/* A call to whichever server responds: bounded in time and in attempts. */
import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError } from '../../src/errors.ts'
import { LONGEST_TIMEOUT } from '../../src/provider/wire.ts'
import { AttemptError, attempt } from './attempt.ts'
import type { CheckedHttpOptions } from './options.ts'

/** Attempts beyond one for each server. */
const MORE_ATTEMPTS = 2
/** The server has this part of the time, so that its error comes before the time is up. */
const SERVER_SHARE = 0.9
/** The first pause before the same server is tried again, in ms. It doubles. */
const FIRST_BACKOFF = 50

export interface CallTerms {
  /** In ms, for all attempts together. */
  readonly timeout: number
  /** Whether it is harmless when two servers, or one twice, decide the call. */
  readonly isRepeatable: boolean
}

export class Transport {
  readonly #options: CheckedHttpOptions
  readonly #pending = new Set<AbortController>()
  /** The server that responded last. */
  #preferred = 0
  #isClosed = false

  constructor(options: CheckedHttpOptions) {
    this.#options = options
  }

  /**
   * Calls a verb. `bodyFor` makes the body of a request that may take so many ms.
   *
   * @throws {StoreError} when no server has responded in time, or one has refused.
   */
  async call(
    path: string,
    bodyFor: (timeout: number) => string,
    { timeout, isRepeatable }: CallTerms,
  ): Promise<unknown> {
    const { urls } = this.#options
    const deadline = performance.now() + timeout
    const first = this.#preferred
    let tries = 0
    for (;;) {
      const server = (first + tries) % urls.length
      const left = deadline - performance.now()
      // A server that hangs must leave time for the others.
      const share = Math.max(left / Math.max(urls.length - tries, 1), 1)
      try {
        const value = await this.#attempt(
          urls[server] as string,
          path,
          bodyFor(Math.min(share * SERVER_SHARE, LONGEST_TIMEOUT)),
          share,
        )
        this.#preferred = server
        return value
      } catch (error) {
        tries++
        if (!this.#mayRetry(error, tries, isRepeatable)) throw error
        const backoff = tries < urls.length ? 0 : this.#backoff(tries - urls.length)
        if (performance.now() + backoff >= deadline) throw error
        if (backoff > 0) await sleep(backoff)
      }
    }
  }

  /** Ends the calls under way, and lets none begin. */
  close(): void {
    this.#isClosed = true
    for (const pending of this.#pending) pending.abort()
  }

  #mayRetry(error: unknown, tries: number, isRepeatable: boolean): boolean {
    if (!(error instanceof AttemptError) || this.#isClosed) return false
    if (error.mayBeDecided && !isRepeatable) return false
    const { length } = this.#options.urls
    if (error.retry === 'elsewhere') return tries < length
    return error.retry === 'anywhere' && tries < length + MORE_ATTEMPTS
  }

  /** With jitter, so that the nodes of a cluster don't all come back at once. */
  #backoff(round: number): number {
    return FIRST_BACKOFF * 2 ** round * (1 + Math.random())
  }

  async #attempt(url: string, path: string, body: string, ms: number): Promise<unknown> {
    if (this.#isClosed) throw new StoreError('the http provider is closed')
    const { fetch, token } = this.#options
    const pending = new AbortController()
    this.#pending.add(pending)
    const timer = setTimeout(() => pending.abort(), ms)
    try {
      return await attempt({ fetch, url, path, body, token, signal: pending.signal })
    } catch (error) {
      if (!pending.signal.aborted) throw error
      if (this.#isClosed) throw new StoreError('the http provider was closed during the call', { cause: error })
      throw new AttemptError(`${url} did not respond within ${Math.round(ms)} ms`, 'anywhere', true, { cause: error })
    } finally {
      clearTimeout(timer)
      this.#pending.delete(pending)
    }
  }
}
