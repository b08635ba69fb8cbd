import { safeLogger } from '../logger.ts'
import type { LockProvider } from '../provider/contract.ts'
import type { Pending } from './pending.ts'
import type { RunScopes } from './run-scopes.ts'
import type { SchedulerContext } from './scheduler-context.ts'

/** Ends what a scheduler has begun, once it begins nothing new. */
export class Shutdown {
  readonly #context: SchedulerContext
  readonly #pending: Pending
  readonly #scopes: RunScopes
  readonly #closing: AbortController
  readonly #beforeClose: (() => Promise<void>)[] = []

  /** @param closing aborts when the grace has passed */
  constructor(context: SchedulerContext, pending: Pending, scopes: RunScopes, closing: AbortController) {
    this.#context = context
    this.#pending = pending
    this.#scopes = scopes
    this.#closing = closing
  }

  beforeClose(work: () => Promise<void>): void {
    this.#beforeClose.push(work)
  }

  /**
   * Waits `graceFor` ms for the runs, aborts those that are left, and waits `abortFor` ms for these. Then releases what
   * is left to release, and closes the provider if there is one. Never rejects.
   */
  async end(graceFor: number, abortFor: number, provider: LockProvider | undefined): Promise<void> {
    const { running, logger, acquireContext } = this.#context
    if (!(await this.#pending.idleWithin(graceFor))) {
      this.#closing.abort(new Error('the scheduler is stopping, and its grace has passed'))
      for (const run of running.values()) run.abort(this.#closing.signal.reason)
      await this.#pending.idleWithin(abortFor)
    }
    for (const name of running.keys())
      safeLogger(logger).warn({ job: name }, 'job ignores its signal; its lock stays held until the lease expires')
    await this.#callBeforeClose()
    const { client } = acquireContext
    await client.releaseRetries.end()
    // Also grants that came too late to be run.
    await client.released()
    if (provider) await this.#close(provider)
  }

  async #callBeforeClose(): Promise<void> {
    const { client } = this.#context.acquireContext
    const called = Promise.allSettled(this.#beforeClose.map((work) => this.#scopes.run(work)))
    await client.within(client.timeout, () => 'wait for what was to be done before the end', called).catch(() => {})
  }

  /** A pool may wait for ever for a dead connection, so the close has the timeout of any call. */
  async #close(provider: LockProvider): Promise<void> {
    const { events, acquireContext } = this.#context
    const { client } = acquireContext
    try {
      const closed = (async () => provider.close())()
      await client.within(client.timeout, () => 'close the provider', closed)
    } catch (error) {
      events.emit('store-error', () => ({ job: undefined, action: 'close', error }))
    }
  }
}
