import type { Duration } from '../../duration.ts'
import { parseDuration } from '../../duration.ts'
import type { LockProvider } from '../../provider/contract.ts'
import type { Scheduler } from '../../scheduler/scheduler.ts'

/** A health indicator's answer as `@nestjs/terminus` takes it. */
export type HealthResult<Key extends string = string> = Record<
  Key,
  { readonly status: 'up' | 'down'; readonly [detail: string]: unknown }
>

/** A name that nobody locks: looking it up asks the store. */
const NOBODYS = 'ticklock:health'

/**
 * Tells whether the store of the locks answers. For `@nestjs/terminus`, or to be called by hand; nothing of that package is needed.
 *
 * @example
 * health.check([() => ticklock.isHealthy()])
 */
export class TicklockHealthIndicator {
  readonly #provider: LockProvider
  readonly #scheduler: Scheduler

  constructor(provider: LockProvider, scheduler: Scheduler) {
    this.#provider = provider
    this.#scheduler = scheduler
  }

  /**
   * `'up'` with the number of jobs and this machine's clock skew in ms, or `'down'` with what is wrong: the store
   * failed, or did not respond in time (`timeout`, 2 s). Never rejects.
   */
  async isHealthy<Key extends string = 'ticklock'>(
    key: Key = 'ticklock' as Key,
    options: { readonly timeout?: Duration } = {},
  ): Promise<HealthResult<Key>> {
    const timeout = parseDuration(options.timeout ?? '2s', { of: 'isHealthy', option: 'timeout', min: 1 })
    const jobs = this.#scheduler.jobs.length
    const health = await this.#ask(timeout).then(
      () => ({ status: 'up' as const, jobs, clockSkew: Math.round(this.#scheduler.clockSkew) }),
      (error: unknown) => ({
        status: 'down' as const,
        jobs,
        message: error instanceof Error ? error.message : String(error),
      }),
    )
    return { [key]: health } as unknown as HealthResult<Key>
  }

  async #ask(timeout: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the store did not respond within ${timeout} ms`)), timeout)
    })
    try {
      await Promise.race([this.#provider.read([NOBODYS]), late])
    } finally {
      clearTimeout(timer)
    }
  }
}
