import { sleep } from '../../clock.ts'
import type { Lock } from '../../lock/lock.ts'
import { runInScope } from '../../locker/current-lock.ts'
import { keepAlive } from '../../locker/keep-alive.ts'
import { releaseAfterWork } from '../../locker/release.ts'
import { childLogger, type Logger, safeLogger } from '../../logger.ts'
import type { JobContext } from '../job.ts'
import type { ActiveRun, SchedulerContext } from '../scheduler-context.ts'
import { RunListener } from './run-listener.ts'
import { endOfWork } from './still-running.ts'
import { jobEvent, type Tick } from './tick.ts'

/** The share of a lease for which the lock of work stays taken that can't be ended. */
const LEFT_TAKEN = 0.9

/** What came of a run's function. */
export type RunOutcome =
  | { readonly succeeded: true; readonly value: unknown }
  | { readonly succeeded: false; readonly error: unknown }

/** One run of a job on this node, with its lock or, where the job allows it, without. */
export class Run implements JobContext, ActiveRun {
  readonly name: string
  readonly scheduledAt: Date
  readonly firedAt: Date
  readonly lock: Lock | undefined
  readonly fencingToken: number | undefined
  readonly #context: SchedulerContext
  readonly #tick: Tick
  #controller: AbortController | undefined
  #abortedWith: { readonly reason: unknown } | undefined
  #logger: Logger | undefined

  constructor(context: SchedulerContext, tick: Tick, lock: Lock | undefined) {
    this.#context = context
    this.#tick = tick
    this.name = tick.job.name
    this.scheduledAt = new Date(tick.time)
    this.firedAt = new Date(context.storeClock.now())
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
    this.#logger ??= safeLogger(childLogger(this.#context.logger, { job, scheduledAt, fencingToken }))
    return this.#logger
  }

  /** Aborts the signal of the job's function. */
  abort(reason: unknown): void {
    this.#abortedWith ??= { reason }
    this.#controller?.abort(reason)
  }

  /**
   * Calls the job's function. Resolves when it has ended and the lock is released, or the release has failed. An error
   * of the function is an outcome, which its event has reported by then. Never rejects.
   *
   * One function does all of it: thousands of runs may start together, and each extra async call costs several
   * promises.
   */
  async execute(): Promise<RunOutcome> {
    const { lock } = this
    const { closing, running, clock, events, scopes } = this.#context
    running.set(this.name, this)
    if (closing.aborted) this.abort(closing.reason)
    const listener = lock && new RunListener(this.#context, this.#tick, lock, this)
    if (listener) lock.onLost(listener)
    listener?.acquired()
    const stopRenewal = lock && this.#tick.job.keepAlive ? keepAlive(lock, listener) : undefined
    events.emit('started', () => this.#started())
    const startedAt = clock.monotonic()
    const scope = scopes.enter(lock)
    let outcome: RunOutcome
    try {
      const value = await runInScope(scope, this.#tick.job.work, this)
      events.emit('succeeded', () => ({ ...this.#started(), duration: clock.monotonic() - startedAt }))
      outcome = { succeeded: true, value }
    } catch (error) {
      events.emit('failed', () => ({ ...this.#started(), duration: clock.monotonic() - startedAt, error }))
      outcome = { succeeded: false, error }
    }
    scopes.leave(scope)
    stopRenewal?.()
    const stillRunning = outcome.succeeded ? undefined : endOfWork(outcome.error)
    if (stillRunning) this.#context.track(this.#leave(stillRunning, startedAt, lock, listener))
    else await this.#finish(lock, listener)
    return outcome
  }

  /**
   * The work has failed but still runs. Its lock is not renewed any more, and stays taken until the work ends, or to
   * near the end of the lease: expired without a release, the tick would count as crashed, and with `onCrash: 'rerun'`
   * one node after the other would hang in it. Without a lock the job counts as running here for as long as a lease
   * would last.
   */
  async #leave(
    end: Promise<unknown>,
    startedAt: number,
    lock: Lock | undefined,
    listener: RunListener | undefined,
  ): Promise<void> {
    const { clock } = this.#context
    const left = lock?.remaining ?? Math.max(0, startedAt + this.#tick.job.lock.lockAtMostFor - clock.monotonic())
    const ended = new AbortController()
    const nearEnd = sleep(clock, left * LEFT_TAKEN, ended.signal, { background: true })
    await Promise.race([end, nearEnd.catch(() => {})])
    ended.abort()
    await this.#finish(lock, listener)
  }

  async #finish(lock: Lock | undefined, listener: RunListener | undefined): Promise<void> {
    if (lock && listener) {
      listener.ended = lock.held
      await releaseAfterWork(lock, listener)
    }
    this.#context.running.delete(this.name)
  }

  #started() {
    const { firedAt, fencingToken } = this
    return { ...jobEvent(this.#tick), firedAt, fencingToken }
  }
}
