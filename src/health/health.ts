import { type Clock, setDeadline, systemClock, type Timer, within } from '../clock.ts'
import { type Duration, parseDuration } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { shortText } from '../history/error-text.ts'
import { quietly } from '../logger.ts'
import { checkKeys } from '../options.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { type OverdueEvent, Successes } from './overdue.ts'

export type { OverdueEvent } from './overdue.ts'

export interface HealthReport {
  readonly ok: boolean
  /** Why not, in words, one for each thing that is wrong. Names jobs and times, and no secrets. */
  readonly reasons: readonly string[]
}

export interface HealthOptions {
  /** A tick that has been due for so long, and that this process has not got to, makes it unfit. From 1 s. @default '30s' */
  readonly lateAfter?: Duration | undefined
  /** The store may be unreachable for so long before the node is not ready. @default 0 */
  readonly storeGraceFor?: Duration | undefined
  /** How often jobs with `expectEvery` are looked at. From 1 s. @default '10s' */
  readonly checkEvery?: Duration | undefined
  /**
   * Called once when a job has not succeeded within its `expectEvery`, by each node: a place for an alert. What it
   * throws changes nothing.
   */
  readonly onOverdue?: ((event: OverdueEvent) => unknown) | undefined
  /** Called once when such a job has succeeded again. */
  readonly onRecovered?: ((event: { readonly job: string }) => unknown) | undefined
  /** Where time comes from, for tests. @default the machine's clocks */
  readonly clock?: Clock | undefined
}

/** Whether a scheduler's process is fit. */
export interface Health {
  /** Whether the process should go on: not when its ticks are stuck. A store that is down is no reason to restart it. */
  live(): HealthReport
  /**
   * Whether this node does its part: it has started, is not stopping, reaches the store, and its ticks are on time. What jobs do is no matter of one node:
   * see `report()`.
   */
  ready(): HealthReport
  /**
   * Everything that is wrong, for people and alerts: what `ready()` says, the jobs that have not succeeded within their `expectEvery`, and those whose lock
   * could not be requested though the store responds, such as for a record that can't be read. Names 20 jobs of a kind at most.
   */
  report(): HealthReport
  /** The jobs that have not succeeded within their `expectEvery`. */
  readonly overdue: readonly OverdueEvent[]
  /** Ends the watching. Called by itself when the scheduler stops. */
  stop(): void
}

/** How long a look waits for the store, in ms. The next look asks again. */
const STORE_TIMEOUT = 10_000

const OPTIONS = ['lateAfter', 'storeGraceFor', 'checkEvery', 'onOverdue', 'onRecovered', 'clock']

/**
 * Watches over a scheduler: its store, its ticks, and the jobs that are expected to succeed.
 *
 * A job with `expectEvery` is looked at from the start of the watching on, for which it counts as having just succeeded unless the store knows better. Paused jobs are overdue like
 * others: somebody may have forgotten to resume them.
 *
 * @throws {InvalidOptionError} for a wrong option.
 */
export function watchHealth(scheduler: Scheduler, options: HealthOptions = {}): Health {
  const of = 'watchHealth'
  checkKeys(options, OPTIONS, of)
  for (const option of ['onOverdue', 'onRecovered'] as const)
    if (options[option] !== undefined && typeof options[option] !== 'function')
      throw new InvalidOptionError(`${of}: ${option} must be a function`)
  return new HealthWatch(scheduler, {
    lateAfter: parseDuration(options.lateAfter ?? '30s', { of, option: 'lateAfter', min: 1_000 }),
    storeGraceFor: parseDuration(options.storeGraceFor ?? 0, { of, option: 'storeGraceFor' }),
    checkEvery: parseDuration(options.checkEvery ?? '10s', { of, option: 'checkEvery', min: 1_000 }),
    onOverdue: options.onOverdue ?? (() => {}),
    onRecovered: options.onRecovered ?? (() => {}),
    clock: options.clock ?? systemClock,
  })
}

interface Settings {
  readonly lateAfter: number
  readonly storeGraceFor: number
  readonly checkEvery: number
  readonly onOverdue: (event: OverdueEvent) => unknown
  readonly onRecovered: (event: { readonly job: string }) => unknown
  readonly clock: Clock
}

class HealthWatch implements Health {
  readonly #scheduler: Scheduler
  readonly #settings: Settings
  readonly #successes: Successes
  readonly #startedAt: number
  readonly #overdue = new Map<string, OverdueEvent>()
  /** The jobs whose last tick was missed for an error of the store, and that error. */
  readonly #unlockable = new Map<string, unknown>()
  readonly #unsubscribe: (() => void)[]
  #timer: Timer | undefined
  #stopped = false

  constructor(scheduler: Scheduler, settings: Settings) {
    this.#scheduler = scheduler
    this.#settings = settings
    this.#successes = new Successes(scheduler)
    this.#startedAt = scheduler.now().getTime()
    this.#unsubscribe = [
      scheduler.on('succeeded', ({ job }) => this.#succeeded(job)),
      scheduler.on('failed', ({ job, scheduledAt }) => this.#successes.failed(job, scheduledAt.getTime())),
      scheduler.on('missed', ({ job, reason, error }) => {
        if (reason === 'store-error') this.#unlockable.set(job, error)
      }),
      scheduler.on('acquired', ({ job }) => this.#unlockable.delete(job)),
      scheduler.on('skipped', ({ job, reason }) => {
        if (reason !== 'running') this.#unlockable.delete(job)
      }),
    ]
    scheduler.beforeClose(async () => this.stop())
    this.#arm()
  }

  get overdue(): readonly OverdueEvent[] {
    return [...this.#overdue.values()]
  }

  live(): HealthReport {
    return reportOf(this.#late())
  }

  ready(): HealthReport {
    const { state, storeUnreachableSince } = this.#scheduler
    const now = this.#scheduler.now().getTime()
    const reasons = [...this.#late()]
    if (state === 'new') reasons.push('the scheduler has not started')
    if (state === 'stopped') reasons.push('the scheduler is stopping')
    if (storeUnreachableSince && now - storeUnreachableSince.getTime() >= this.#settings.storeGraceFor)
      reasons.push(`the store has not answered since ${storeUnreachableSince.toISOString()}`)
    return reportOf(reasons)
  }

  report(): HealthReport {
    const overdue = [...this.#overdue.values()].map(({ job, lastSuccess }) => {
      const since = lastSuccess ? `since ${lastSuccess.toISOString()}` : 'as far as is known'
      return `job ${JSON.stringify(job)} has not succeeded ${since}`
    })
    const jobs = new Set(this.#scheduler.jobs)
    // While the store is out of reach every job has this error, and that is a reason of its own.
    const unlockable = this.#scheduler.storeUnreachableSince ? [] : [...this.#unlockable]
    const errors = unlockable
      .filter(([job]) => jobs.has(job))
      .map(([job, error]) => `job ${JSON.stringify(job)} missed its last tick: ${shortText(error)}`)
    return reportOf([...this.ready().reasons, ...bounded(overdue), ...bounded(errors)])
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    for (const off of this.#unsubscribe) off()
  }

  #late(): string[] {
    const { nextDue, state } = this.#scheduler
    if (!nextDue || state === 'stopped') return []
    const late = this.#scheduler.now().getTime() - nextDue.getTime()
    return late < this.#settings.lateAfter ? [] : [`ticks are late: one has been due since ${nextDue.toISOString()}`]
  }

  #arm(): void {
    const { clock, checkEvery } = this.#settings
    const check = (): void => void this.#check().finally(() => this.#stopped || this.#arm())
    this.#timer = setDeadline(clock, clock.monotonic() + checkEvery, check, { background: true })
  }

  /** Never rejects. */
  async #check(): Promise<void> {
    const suspects = this.#suspects()
    if (suspects.length === 0) return
    // While the store can't tell of other nodes, nobody is accused: that it is unreachable is told on its own.
    const learnt = this.#successes.ask(suspects.map(({ job }) => job))
    const late = (): Error => new Error('the store did not respond')
    const asked = await within(this.#settings.clock, STORE_TIMEOUT, learnt, late, { background: true }).then(
      () => true,
      () => false,
    )
    if (!asked || this.#stopped) return
    for (const event of this.#suspects()) {
      const known = this.#overdue.has(event.job)
      this.#overdue.set(event.job, event)
      if (!known) quietly(() => this.#settings.onOverdue(event), nothing)
    }
    const still = new Set(this.#suspects().map(({ job }) => job))
    for (const job of [...this.#overdue.keys()]) if (!still.has(job)) this.#recovered(job)
  }

  /** The jobs whose time is up, by what is known here. */
  #suspects(): OverdueEvent[] {
    const now = this.#scheduler.now().getTime()
    return this.#scheduler.jobs.flatMap((job): OverdueEvent[] => {
      const { expectEvery } = this.#scheduler.describe(job)
      if (expectEvery === undefined) return []
      const last = this.#successes.last(job)
      const since = (last ?? this.#startedAt) + expectEvery
      if (since > now) return []
      const lastSuccess = last === undefined ? undefined : new Date(last)
      return [{ job, expectEvery, lastSuccess, since: new Date(since) }]
    })
  }

  #succeeded(job: string): void {
    this.#successes.succeeded(job, this.#scheduler.now().getTime())
    this.#recovered(job)
  }

  #recovered(job: string): void {
    if (this.#overdue.delete(job)) quietly(() => this.#settings.onRecovered({ job }), nothing)
  }
}

const nothing = (): void => {}
const MOST_JOBS = 20
const bounded = (reasons: readonly string[]): readonly string[] =>
  reasons.length <= MOST_JOBS
    ? reasons
    : [...reasons.slice(0, MOST_JOBS), `and ${reasons.length - MOST_JOBS} more such jobs`]
const reportOf = (reasons: readonly string[]): HealthReport => ({ ok: reasons.length === 0, reasons })
