import { runLocked } from '../executor/run-locked.ts'
import type { Lock } from '../lock/lock.ts'
import { childLogger, type Logger, safeLogger } from '../logger.ts'
import { type Engine, factsOf, type Tick, tellStoreError } from './engine.ts'
import type { JobEvent } from './events.ts'
import type { JobContext } from './job.ts'

/** One run of a job on this node, with its lock or, where the job allows it, without. */
export class Run implements JobContext {
  readonly name: string
  readonly scheduledAt: Date
  readonly firedAt: Date
  readonly lock: Lock | undefined
  readonly fencingToken: number | undefined
  readonly #engine: Engine
  readonly #tick: Tick
  readonly #facts: JobEvent
  #controller: AbortController | undefined
  #abortedWith: { readonly reason: unknown } | undefined
  #logger: Logger | undefined
  #ended = false

  constructor(engine: Engine, tick: Tick, lock: Lock | undefined) {
    this.#engine = engine
    this.#tick = tick
    this.#facts = factsOf(tick)
    this.name = tick.job.name
    this.scheduledAt = this.#facts.scheduledAt
    this.firedAt = new Date(engine.time.now())
    this.lock = lock
    this.fencingToken = lock?.fencingToken
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#abortedWith) this.#controller.abort(this.#abortedWith.reason)
    return this.#controller.signal
  }

  get logger(): Logger {
    const { name: job, scheduledAt, fencingToken } = this
    this.#logger ??= safeLogger(childLogger(this.#engine.logger, { job, scheduledAt, fencingToken }))
    return this.#logger
  }

  /** Aborts the signal of the job's function. */
  abort(reason: unknown): void {
    this.#abortedWith ??= { reason }
    this.#controller?.abort(reason)
  }

  /**
   * Calls the job's function, and answers when it has ended and the lock was given back, or would have been if the store had not
   * failed. Rejects with what the function throws; events have told it by then.
   */
  async execute(): Promise<unknown> {
    const { name } = this.#tick.job
    const { closing, runs } = this.#engine
    runs.set(name, this)
    if (closing.aborted) this.abort(closing.reason)
    try {
      return this.lock ? await this.#underLock(this.lock) : await this.#work()
    } finally {
      runs.delete(name)
    }
  }

  #underLock(lock: Lock): Promise<unknown> {
    const engine = this.#engine
    const { events, clock } = engine
    const { keepAlive, name } = this.#tick.job
    const acquired = { ...this.#facts, fencingToken: lock.fencingToken }
    lock.onLost((error) => {
      // The work ended in time; if the store can't be told so, nobody is hurt by the lapse.
      if (this.#ended) return
      events.emit('lost', () => ({ ...acquired, error }))
      this.abort(error)
    })
    events.emit('acquired', () => ({ ...acquired, waited: lock.waited }))
    const onKeepAlive = {
      extended: () => events.emit('extended', () => acquired),
      failed: (_: Lock, error: unknown) => tellStoreError(engine, 'extend', name, error),
    }
    const onRelease = {
      released: () => events.emit('released', () => acquired),
      failed: (_: Lock, error: unknown) => tellStoreError(engine, 'release', name, error),
      goesOn: (settled: Promise<void>) => engine.track(settled),
    }
    return runLocked(clock, lock, { keepAlive, onKeepAlive, onRelease }, () => this.#work())
  }

  async #work(): Promise<unknown> {
    const { events, clock } = this.#engine
    const { firedAt, fencingToken } = this
    const started = { ...this.#facts, firedAt, fencingToken }
    events.emit('started', () => started)
    const startedAt = clock.monotonic()
    try {
      const value = await this.#tick.job.work(this)
      events.emit('succeeded', () => ({ ...started, duration: clock.monotonic() - startedAt }))
      return value
    } catch (error) {
      events.emit('failed', () => ({ ...started, duration: clock.monotonic() - startedAt, error }))
      throw error
    } finally {
      this.#ended = this.lock?.held ?? true
    }
  }
}
