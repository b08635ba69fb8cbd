interface Waiting<Request, Result> {
  readonly request: Request
  resolve(result: Result): void
  reject(error: unknown): void
}

/**
 * Gathers the single calls of one turn of the event loop into a batch: whatever is asked for until the promise jobs of this turn
 * have run dry goes out together, so 10,000 jobs that are due at once cost one statement. Batches don't wait for each other: one
 * that hangs on a dead connection holds up nobody else.
 */
export class Coalescer<Request, Result> {
  readonly #send: (batch: readonly Request[]) => Promise<readonly Result[]>
  #gathering: Waiting<Request, Result>[] = []

  constructor(send: (batch: readonly Request[]) => Promise<readonly Result[]>) {
    this.#send = send
  }

  call(request: Request): Promise<Result> {
    return new Promise((resolve, reject) => {
      // A nextTick that is queued by a promise job runs when no promise job is left.
      if (this.#gathering.length === 0) queueMicrotask(() => process.nextTick(() => void this.#flush()))
      this.#gathering.push({ request, resolve, reject })
    })
  }

  async #flush(): Promise<void> {
    const batch = this.#gathering
    this.#gathering = []
    try {
      const results = await this.#send(batch.map(({ request }) => request))
      if (results.length !== batch.length) {
        throw new Error(`the provider answered ${results.length} results to ${batch.length} requests`)
      }
      for (const [index, waiting] of batch.entries()) waiting.resolve(results[index] as Result)
    } catch (error) {
      for (const waiting of batch) waiting.reject(error)
    }
  }
}
