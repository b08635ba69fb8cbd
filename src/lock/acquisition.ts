import { StoreError } from '../errors.ts'
import type { AcquireRequest, AcquireResult, Lease, Refused, Settled } from '../provider/contract.ts'
import type { Moment } from './clock-jumps.ts'
import type { ProviderClient } from './provider-client.ts'
import { about, aboutAll } from './store-errors.ts'

/** A lease and until when it may be relied on, by this process's monotonic clock. */
export interface Grant {
  readonly granted: true
  readonly lease: Lease
  /** Counted from before the request was sent, so it passes before the lease ends in the store. */
  readonly deadline: number
  /** When the request was sent. */
  readonly sent: Moment
  /** Another owner was granted this tick before and did not finish it. */
  readonly rerun: boolean
}

/**
 * One acquisition: one owner, and as many requests as it takes to get a response.
 *
 * The race: the store applies a request, and its response is lost or late. Repeating the request with the same owner returns the same grant, and
 * a response to an earlier request serves a later one just as well. When the acquisition is abandoned, it releases whatever was or will
 * yet be granted. It marks no tick as done, since nothing ran.
 */
export class Acquisition {
  readonly request: AcquireRequest
  /** When it began, on the monotonic clock. */
  readonly beganAt: number
  readonly #store: ProviderClient
  #state: 'asking' | 'taken' | 'abandoned' = 'asking'
  /** The result that arrived last. */
  #result: Grant | Refused | undefined
  #waiter: ((grant: Grant) => void) | undefined
  /** Whether some request ended without its response, so that the store may have granted it. */
  #uncertain = false

  constructor(store: ProviderClient, request: AcquireRequest) {
    this.#store = store
    this.request = request
    this.beganAt = store.clock.monotonic()
  }

  /**
   * Sends the request once, and waits for its response for at most `timeout` ms.
   *
   * @throws {StoreError} when the store failed or did not respond in time. Repeating the request is then safe.
   */
  async send(timeout: number): Promise<Grant | Refused> {
    const early = this.result
    if (early?.granted) return early
    const sent = this.#store.deadlines.now()
    const result = new Promise<Grant | Refused>((resolve, reject) => {
      // A response to an earlier request serves as well.
      this.#waiter = resolve
      this.#store
        .acquire(this.request, timeout, () => this.#state === 'asking')
        .then((result) => resolve(this.#arrived(result, sent)))
        .catch(reject)
    })
    try {
      return await this.#store.within(timeout, about('acquire', this.request.name), result)
    } catch (error) {
      this.#uncertain = true
      throw error
    } finally {
      this.#waiter = undefined
    }
  }

  /**
   * Requests several locks at once, for at most `timeout` ms in all. Resolves, for each, to what {@link
   * Acquisition.send} returns or throws; never rejects. One promise and one deadline serve thousands.
   */
  static async sendAll(
    store: ProviderClient,
    acquisitions: readonly Acquisition[],
    timeout: number,
    mostRefused = false,
  ): Promise<readonly (Grant | Refused | StoreError)[]> {
    const sent = store.deadlines.now()
    const requests = acquisitions.map(({ request }) => request)
    // Results that come after the deadline still reach their acquisitions.
    const settled = store
      .acquireAll(requests, mostRefused)
      .then((results) => acquisitions.map((acquisition, index) => acquisition.#settle(results[index], sent)))
    try {
      return await store.within(timeout, aboutAll('acquire', requests), settled)
    } catch (error) {
      for (const acquisition of acquisitions) acquisition.#uncertain = true
      return acquisitions.map(() => error as StoreError)
    }
  }

  /** The late response to an earlier request: a grant that may be relied on, or a refusal. */
  get result(): Grant | Refused | undefined {
    const result = this.#result
    return result?.granted && this.#mayBeOver(result) ? undefined : result
  }

  /** Says that the grant is in use. Later responses are duplicates of it. */
  take(): void {
    this.#state = 'taken'
  }

  /** Ends the acquisition without using it. Releases what was, or may have been, granted. */
  abandon(): void {
    if (this.#state !== 'asking') return
    this.#state = 'abandoned'
    if (this.#result?.granted || this.#uncertain) this.#release()
  }

  #settle(result: Settled<AcquireResult> | undefined, sent: Moment): Grant | Refused | StoreError {
    try {
      if (result instanceof Error) throw result
      return this.#arrived(result as AcquireResult, sent)
    } catch (error) {
      this.#uncertain = true
      return error as StoreError
    }
  }

  #arrived(result: AcquireResult, sent: Moment): Grant | Refused {
    if (!result.granted) {
      // A refusal that was decided before a grant says nothing about it.
      if (!this.result?.granted) this.#result = result
      return result
    }
    const { lease } = result
    const left = Math.min(this.request.lockAtMostFor, lease.lockUntil - lease.storeTime)
    const grant: Grant = { granted: true, lease, deadline: sent.monotonic + left, sent, rerun: result.rerun === true }
    if (this.#state === 'abandoned') this.#release()
    if (this.#mayBeOver(grant)) {
      throw new StoreError(`could not ${about('acquire', lease.name)()}: the reply came after the lease had ended`)
    }
    if (this.#state === 'asking') {
      this.#result = grant
      this.#waiter?.(grant)
    }
    return grant
  }

  /** Also when this machine was suspended since the request was sent. A repeated request gets the same grant, if it is still valid. */
  #mayBeOver({ deadline, sent }: Grant): boolean {
    return this.#store.deadlines.mayHavePassed(sent, deadline - sent.monotonic)
  }

  #release(): void {
    const { name, owner, label } = this.request
    // Best effort: if the store fails, the lease expires by itself.
    this.#store.release({ name, owner, label, lockAtLeastFor: 0 }).catch(() => {})
  }
}
