import { setMaxListeners } from 'node:events'
import { systemClock } from '../clock.ts'
import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { loggerFor, safeLogger } from '../logger.ts'
import type { LockProvider, LockRecord, UnreadableRecord } from '../provider/contract.ts'
import type { RunHistory } from '../provider/history.ts'
import { CatchUp } from './catch-up/catch-up.ts'
import { SkewWatch } from './clock/skew-watch.ts'
import { createContext } from './create-context.ts'
import type { AnyListener, Listener, Unsubscribe } from './emitter.ts'
import type { EventName, SchedulerEvents } from './events.ts'
import { checkJob, type Job, type JobWork } from './job.ts'
import { infoOf, type JobInfo } from './job-info.ts'
import { Defaults, type JobOptions } from './job-options.ts'
import { Pending } from './pending.ts'
import { Planner } from './plan/planner.ts'
import { RunScopes } from './run-scopes.ts'
import type { SchedulerContext } from './scheduler-context.ts'
import { checkSchedulerOptions, readStopOptions, type SchedulerOptions, type StopOptions } from './scheduler-options.ts'
import { setPaused } from './set-paused.ts'
import { Shutdown } from './shutdown.ts'
import { Dispatcher } from './tick/dispatch.ts'
import type { Tick } from './tick/tick.ts'
import { runTrigger, type TriggerOutcome } from './tick/trigger.ts'

/** A job that is registered anew within so many ms of its last tick does not run that tick again without its lock. */
const RELOAD_WINDOW = 60_000
/** So many latest ticks are kept in any case. */
const KEPT_RUNS = 1_000

/**
 * Runs named jobs on their schedules, each tick on at most one of all nodes that register the same names over the same store.
 */
export class Scheduler implements AsyncDisposable {
  readonly #jobs = new Map<string, Job>()
  readonly #context: SchedulerContext
  readonly #planner: Planner
  readonly #catchUp: CatchUp
  readonly #skew: SkewWatch
  readonly #defaults: Defaults
  readonly #provider: LockProvider
  readonly #keepProviderOpen: boolean
  readonly #stopping = new AbortController()
  readonly #pending: Pending
  readonly #shutdown: Shutdown
  readonly #scopes = new RunScopes()
  #forgetAt = KEPT_RUNS
  #starting: Promise<void> | undefined
  #planned = false
  #stopped: Promise<void> | undefined

  /** @throws {InvalidOptionError} for a wrong option; it names the option and the value. */
  constructor(options: SchedulerOptions) {
    const of = 'Scheduler'
    checkSchedulerOptions(options, of)
    this.#defaults = new Defaults(options.defaults)
    // As many jobs as there are may wait for this signal.
    setMaxListeners(0, this.#stopping.signal)
    this.#provider = options.provider
    this.#keepProviderOpen = options.keepProviderOpen ?? false
    const { clock = systemClock } = options
    const logger = loggerFor(options.logger)
    const closing = new AbortController()
    this.#pending = new Pending(clock, (err) => safeLogger(logger).error({ err }, 'unexpected error'))
    this.#context = createContext(options, of, {
      stopping: this.#stopping.signal,
      closing: closing.signal,
      scopes: this.#scopes,
      track: (work) => this.#pending.add(work),
      reschedule: ({ job, time: tick }) => this.#planner.reschedule(job, tick),
      noteMissed: (job) => this.#catchUp.noteMissed(job),
      onReading: () => {
        this.#skew.report()
        this.#planner.clockChanged()
      },
    })
    this.#shutdown = new Shutdown(this.#context, this.#pending, this.#scopes, closing)
    this.#catchUp = new CatchUp(this.#context)
    this.#skew = new SkewWatch(this.#context, () => this.#planner.clockChanged())
    const dueTicks = new Dispatcher(this.#context, this.#catchUp)
    this.#planner = new Planner({
      clock: this.#context.clock,
      time: this.#context.storeClock,
      onDue: (due) => dueTicks.add(due),
      onWake: () => this.#skew.check(this.#jobs.keys().next().value),
      onStuck: (jobs, error) => {
        for (const job of jobs) this.#context.events.emit('schedule-error', () => ({ job: job.name, error }))
      },
    })
  }

  /**
   * Registers a job. May be called before and after `start()`.
   *
   * @throws {InvalidOptionError} for a wrong option, an unknown one, or a name used before; it names the job, the option and the value.
   */
  job(options: JobOptions, work: JobWork): this {
    const job = checkJob(options, this.#defaults, work, (key) => this.#planner.schedule(key))
    if (this.#jobs.has(job.name)) {
      throw new InvalidOptionError(`job ${JSON.stringify(job.name)}: name is used by another job of this scheduler`)
    }
    this.#jobs.set(job.name, job)
    if (!this.#planned || this.#stopped) this.#planner.add(job)
    else if (this.#context.storeClock.mayBeStale) this.#pending.add(this.#planWhenTimeIsKnown(job))
    else this.#plan(job)
    return this
  }

  /** Plans a job that is registered after the start, from then on. */
  #plan(job: Job, from?: number): void {
    this.#planner.add(job, from)
    this.#warnOfNever(job)
    this.#catchUp.start([job], from)
  }

  /** By a stale time ticks from before its registration would run. */
  async #planWhenTimeIsKnown(job: Job): Promise<void> {
    const { clock, storeClock } = this.#context
    const registeredAt = clock.monotonic()
    await this.#skew.readClock(job.name)
    if (!job.removed) this.#plan(job, storeClock.now() - (clock.monotonic() - registeredAt))
  }

  /** Takes a job out; a run under way goes on. False when there is none of that name. */
  remove(name: string): boolean {
    const job = this.#jobs.get(name)
    if (!job) return false
    job.removed = true
    this.#planner.remove(job)
    this.#jobs.delete(name)
    this.#forgetRuns()
    return true
  }

  /** Drops the latest ticks of jobs that are gone: a reload registers its job anew at once, and needs its own. */
  #forgetRuns(): void {
    const { lastRunTick, storeClock } = this.#context
    if (lastRunTick.size < this.#forgetAt) return
    const before = storeClock.now() - RELOAD_WINDOW
    for (const [name, tick] of lastRunTick) if (tick < before && !this.#jobs.has(name)) lastRunTick.delete(name)
    this.#forgetAt = Math.max(KEPT_RUNS, 2 * lastRunTick.size)
  }

  /** The names of the registered jobs, in the order of their registration. */
  get jobs(): string[] {
    return [...this.#jobs.keys()]
  }

  /** Whether a job of that name is registered. */
  has(name: string): boolean {
    return this.#jobs.has(name)
  }

  /**
   * The next ticks of a job, 1 to 1,000 of them, by the store's clock where it is known.
   *
   * @throws {InvalidOptionError} when there is no such job.
   */
  nextTicks(name: string, count = 1): Date[] {
    if (!Number.isInteger(count) || count < 1 || count > 1000)
      throw new InvalidOptionError(`nextTicks: count must be a whole number from 1 to 1000, but is ${show(count)}`)
    const { schedule } = this.#find(name)
    const ticks: Date[] = []
    let tick = schedule.next(this.#context.storeClock.now())
    while (tick !== undefined && ticks.length < count) {
      ticks.push(new Date(tick))
      tick = schedule.next(tick)
    }
    return ticks
  }

  /**
   * What is known about a job.
   *
   * @throws {InvalidOptionError} when there is no such job.
   */
  describe(name: string): JobInfo {
    const { running, storeClock } = this.#context
    return infoOf(this.#find(name), running.get(name), storeClock.now())
  }

  /** How this node is called in the store. */
  get label(): string {
    return this.#context.acquireContext.label
  }

  /** Where the locks are kept. */
  get provider(): LockProvider {
    return this.#provider
  }

  /**
   * The records of these names. As all calls below, bounded by `storeTimeout`, and every failure is a `StoreError`.
   * @internal
   */
  readRecords(names: readonly string[]): Promise<readonly (LockRecord | UnreadableRecord)[]> {
    return this.#context.acquireContext.client.read(names)
  }

  /** @internal */
  forceRelease(name: string): Promise<boolean> {
    return this.#context.acquireContext.client.forceRelease(name)
  }

  /** @internal */
  reset(name: string): Promise<boolean> {
    const { client, maxClockSkew } = this.#context.acquireContext
    return client.reset({ name, maxClockSkew })
  }

  /** @internal */
  get canPause(): boolean {
    return this.#provider.setPaused !== undefined
  }

  /** The history of the store, if it keeps one. @internal */
  get history(): RunHistory | undefined {
    return this.#provider.history
  }

  /** What it is doing: `'new'` until `start()` is called, `'running'`, then `'stopped'` from the call of `stop()` on. */
  get state(): 'new' | 'running' | 'stopped' {
    if (this.#stopped) return 'stopped'
    return this.#starting ? 'running' : 'new'
  }

  /** The time by the store's clock where it is known, else by this machine's. */
  now(): Date {
    return new Date(this.#context.storeClock.now())
  }

  /** Since when the store can't be reached; undefined when its last call was answered, or there was none. */
  get storeUnreachableSince(): Date | undefined {
    const since = this.#context.availability.unreachableSince
    return since === undefined ? undefined : new Date(since)
  }

  /** The tick of any job that is due next. One in the past is late: this process is too busy to get to it. */
  get nextDue(): Date | undefined {
    const next = this.#planner.next
    return next === undefined || next === Number.POSITIVE_INFINITY ? undefined : new Date(next)
  }

  /** By how many ms this machine's clock is ahead of the store's (negative: behind); 0 when it may be right. */
  get clockSkew(): number {
    return this.#context.storeClock.skew
  }

  /** Calls the listener at each such event, until the function that is answered is called. What it throws changes nothing. */
  on<Name extends EventName>(event: Name, listener: Listener<SchedulerEvents[Name]>): Unsubscribe {
    return this.#context.events.on(event, listener)
  }

  /**
   * Calls back when `stop()` has waited for all runs, right before the provider is closed, and waits for the answer, but no longer than for one of the store's. What it throws
   * changes nothing.
   */
  beforeClose(work: () => Promise<void>): void {
    this.#shutdown.beforeClose(work)
  }

  /** Calls the listener with the name and the event at every event. */
  onAny(listener: AnyListener): Unsubscribe {
    return this.#context.events.onAny(listener)
  }

  /**
   * Begins to run the jobs. Resolves when they are planned; a store that can't be reached does not hinder that. A second call does
   * nothing.
   *
   * @throws {InvalidOptionError} after `stop()`: make a new scheduler.
   */
  start(): Promise<void> {
    if (this.#stopped) {
      return Promise.reject(new InvalidOptionError('Scheduler: it was stopped; make a new one to start again'))
    }
    this.#starting ??= this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const { clock, storeClock } = this.#context
    const startedAt = clock.monotonic()
    const first = this.#jobs.keys().next().value
    if (first !== undefined) await this.#skew.readClock(first)
    if (this.#stopping.signal.aborted) return
    this.#planned = true
    // Ticks that came while the store's clock was read are not lost.
    const from = storeClock.now() - (clock.monotonic() - startedAt)
    for (const job of this.#jobs.values()) this.#warnOfNever(job)
    // First what was missed: the ticks that are due at once below have to wait behind it.
    this.#catchUp.start([...this.#jobs.values()], from)
    this.#planner.start(from)
    this.#logStart()
  }

  #logStart(): void {
    const { acquireContext, logger } = this.#context
    const next = this.#planner.next
    const nextTick = next === undefined || next === Number.POSITIVE_INFINITY ? undefined : new Date(next)
    safeLogger(logger).info({ node: acquireContext.label, jobs: this.#jobs.size, nextTick }, 'scheduler started')
  }

  /**
   * Runs a job now, under its lock. Takes no tick. Rejects with what the job throws.
   *
   * @throws {InvalidOptionError} when there is no such job, or the scheduler was stopped.
   * @throws {StoreError} when the lock could not be requested.
   */
  async trigger(name: string): Promise<TriggerOutcome> {
    const job = this.#find(name)
    if (this.#stopped) throw new InvalidOptionError(`job ${JSON.stringify(name)}: the scheduler was stopped`)
    const tick: Tick = { job, kind: 'trigger', time: this.#context.storeClock.now() }
    const run = runTrigger(this.#context, tick)
    this.#pending.add(run.catch(() => {}))
    return run
  }

  /**
   * Pauses a job for the whole cluster: its ticks are skipped by every node (`skipped`, reason `'paused'`) until it is resumed. A run under way
   * goes on, and `trigger` still works. Kept in the store, so it outlives this process. False when it was paused before.
   *
   * @throws {InvalidOptionError} when there is no such job, or the provider can't pause.
   * @throws {StoreError} when the store failed; whether it is paused is then unknown.
   */
  async pause(name: string): Promise<boolean> {
    return setPaused(this.#context, this.#find(name), true)
  }

  /**
   * Resumes a paused job. The ticks up to this moment are over: no `catchUp` or `onCrash: 'rerun'` brings them back. False when it was not paused.
   *
   * @throws {InvalidOptionError} when there is no such job, or the provider can't pause.
   * @throws {StoreError} when the store failed; whether it is paused is then unknown.
   */
  async resume(name: string): Promise<boolean> {
    return setPaused(this.#context, this.#find(name), false)
  }

  /**
   * Stops: begins no tick any more, waits for the runs under way, aborts the signals of those that have not ended after
   * the grace, releases their locks, closes the provider. A run that goes on in spite of its signal keeps its lock
   * until the lease expires. May be called before `start()` and more than once.
   *
   * Called from inside a run, it does not wait for that run: it resolves when all others have ended, and the rest is done when this one has, too. The same
   * holds in what a run calls, at the end of its `await using`, and in `beforeClose`.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    const { graceFor, abortFor } = readStopOptions(options)
    this.#stopped ??= this.#stop(graceFor, abortFor)
    if (!this.#scopes.isInside) return this.#stopped
    await Promise.race([this.#scopes.othersEnded(), this.#stopped])
    // What the others asked to be released, too.
    await Promise.race([this.#context.acquireContext.client.released(), this.#stopped])
  }

  async #stop(graceFor: number, abortFor: number): Promise<void> {
    this.#planner.stop()
    this.#stopping.abort(new Error('the scheduler is stopping'))
    await this.#starting
    await this.#shutdown.end(graceFor, abortFor, this.#keepProviderOpen ? undefined : this.#provider)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Such as one on 30 February. */
  #warnOfNever({ name: job, schedule }: Job): void {
    const { logger, storeClock } = this.#context
    if (schedule.next(storeClock.now()) !== undefined) return
    const { cron, timezone } = schedule.source
    safeLogger(logger).warn({ job, cron, timezone }, 'job never runs: its schedule has no tick any more')
  }

  #find(name: string): Job {
    const job = this.#jobs.get(name)
    if (job) return job
    throw new InvalidOptionError(`job ${JSON.stringify(name)}: there is none of that name in this scheduler`)
  }
}
