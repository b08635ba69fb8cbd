import type { Tell } from '../provider/contract.ts'

interface Waiting<Request, Result> {
  readonly requests: readonly Request[]
  readonly tell?: Tell<Result>
  resolve(results: readonly Result[]): void
  reject(error: unknown): void
}

/** Sends a batch; answers as many results as there are requests, in their order, and may tell some of them before. */
export type SendBatch<Request, Result> = (batch: readonly Request[], tell: Tell<Result>) => Promise<readonly Result[]>

/**
 * Gathers the calls of one turn of the event loop into a batch: whatever is asked for until the promise jobs of this turn
 * have run dry goes out together, so 10,000 jobs that are due at once cost one statement. Batches don't wait for each other: one
 * that hangs on a dead connection holds up nobody else.
 */
export class Coalescer<Request, Result> {
  readonly #send: SendBatch<Request, Result>
  readonly #ready: () => Promise<void> | undefined
  #gathering: Waiting<Request, Result>[] = []

  /** While `ready` answers a promise, what is gathered goes out when that has resolved. */
  constructor(send: SendBatch<Request, Result>, ready: () => Promise<void> | undefined = () => undefined) {
    this.#send = send
    this.#ready = ready
  }

  call(request: Request): Promise<Result> {
    return new Promise((resolve, reject) => {
      const tell: Tell<Result> = (_, result) => resolve(result)
      this.#gather({ requests: [request], tell, resolve: (results) => resolve(results[0] as Result), reject })
    })
  }

  /** As many calls as there are requests, with one promise for all of them. `tell` may be told of results before. */
  callAll(requests: readonly Request[], tell?: Tell<Result>): Promise<readonly Result[]> {
    return new Promise((resolve, reject) => this.#gather({ requests, ...(tell && { tell }), resolve, reject }))
  }

  #gather(waiting: Waiting<Request, Result>): void {
    if (this.#gathering.length === 0) {
      // A nextTick that is queued by a promise job runs when no promise job is left.
      const flush = (): void => process.nextTick(() => void this.#flush())
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
      // What came in one call goes out as it is.
      const results = await this.#send(
        batch.length === 1 && first ? first.requests : batch.flatMap(({ requests }) => requests),
        (index, result) => tellOneOf(batch, index, result),
      )
      let from = 0
      for (const { requests, resolve } of batch) {
        resolve(batch.length === 1 ? results : results.slice(from, from + requests.length))
        from += requests.length
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}

/** Tells the call that has this place in the batch. */
function tellOneOf<Request, Result>(batch: readonly Waiting<Request, Result>[], index: number, result: Result): void {
  let from = 0
  for (const { requests, tell } of batch) {
    if (index < from + requests.length) {
      tell?.(index - from, result)
      return
    }
    from += requests.length
  }
}
