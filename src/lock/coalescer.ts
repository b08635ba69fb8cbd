interface Waiting<Request, Result> {
  readonly requests: readonly Request[]
  resolve(results: readonly Result[]): void
  reject(error: unknown): void
}

/**
 * Gathers the calls of one turn of the event loop into a batch: whatever is asked for until the promise jobs of this turn
 * have run dry goes out together, so 10,000 jobs that are due at once cost one statement. Batches don't wait for each other: one
 * that hangs on a dead connection holds up nobody else.
 */
export class Coalescer<Request, Result> {
  readonly #send: (batch: readonly Request[]) => Promise<readonly Result[]>
  #gathering: Waiting<Request, Result>[] = []

  /** `send` answers as many results as it is given requests, in their order. */
  constructor(send: (batch: readonly Request[]) => Promise<readonly Result[]>) {
    this.#send = send
  }

  call(request: Request): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#gather({ requests: [request], resolve: (results) => resolve(results[0] as Result), reject })
    })
  }

  /** As many calls as there are requests, with one promise for all of them. */
  callAll(requests: readonly Request[]): Promise<readonly Result[]> {
    return new Promise((resolve, reject) => this.#gather({ requests, resolve, reject }))
  }

  #gather(waiting: Waiting<Request, Result>): void {
    // A nextTick that is queued by a promise job runs when no promise job is left.
    if (this.#gathering.length === 0) queueMicrotask(() => process.nextTick(() => void this.#flush()))
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
