import type { Settled } from '../provider/contract.ts'

// As they are when this module loads: a test that replaces timers by fake ones (Jest does by default) must not stop every call.
const { nextTick } = process
const { queueMicrotask } = globalThis

interface Waiting<Request, Result> {
  readonly requests: readonly Request[]
  /** The results of the batch, of which its own begin at this index. */
  settle(results: readonly Settled<Result>[], from: number): void
  reject(error: unknown): void
}

/** Sends a batch. Resolves to one result, or one error, for each request, in their order. */
export type SendBatch<Request, Result> = (batch: readonly Request[]) => Promise<readonly Settled<Result>[]>

/**
 * Gathers the calls of one turn of the event loop into a batch: the calls made before the microtask queue of this turn is empty
 * go out together, so 10,000 jobs that are due at once cost one statement. Batches don't wait for each other: one that hangs on a
 * dead connection delays nobody else.
 */
export class Coalescer<Request, Result> {
  readonly #send: SendBatch<Request, Result>
  readonly #ready: () => Promise<void> | undefined
  #gathering: Waiting<Request, Result>[] = []

  /** While `ready` returns a promise, the gathered calls go out when it has resolved. */
  constructor(send: SendBatch<Request, Result>, ready: () => Promise<void> | undefined = () => undefined) {
    this.#send = send
    this.#ready = ready
  }

  /** Rejects when the request failed, alone or with its batch. */
  call(request: Request): Promise<Result> {
    return new Promise((resolve, reject) => {
      const settle = (results: readonly Settled<Result>[], from: number): void => {
        const result = results[from]
        if (result instanceof Error) reject(result)
        else resolve(result as Result)
      }
      this.#gather({ requests: [request], settle, reject })
    })
  }

  /** As many calls as there are requests, with one promise for all of them. */
  callAll(requests: readonly Request[]): Promise<readonly Settled<Result>[]> {
    return new Promise((resolve, reject) => {
      const settle = (results: readonly Settled<Result>[], from: number): void =>
        resolve(results.length === requests.length ? results : results.slice(from, from + requests.length))
      this.#gather({ requests, settle, reject })
    })
  }

  #gather(waiting: Waiting<Request, Result>): void {
    if (this.#gathering.length === 0) {
      // A nextTick that a microtask queues runs when no microtask is left.
      const flush = (): void => nextTick(() => void this.#flush())
      const ready = this.#ready()
      if (ready) ready.then(flush)
      else queueMicrotask(flush)
    }
    this.#gathering.push(waiting)
  }

  async #flush(): Promise<void> {
    const batch = this.#gathering
    this.#gathering = []
    const [first] = batch
    try {
      // A single call goes out as it is.
      const results = await this.#send(
        batch.length === 1 && first ? first.requests : batch.flatMap(({ requests }) => requests),
      )
      let from = 0
      for (const { requests, settle } of batch) {
        settle(results, from)
        from += requests.length
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}
