import { type Duration, MAX_DURATION, parseDuration, show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import type { Lock } from '../lock/lock.ts'
import { type CheckedLockOptions, checkLease } from '../lock/lock-options.ts'
import type { Logger } from '../logger.ts'
import { checkBoolean, checkKeys, checkMetadata, checkName, checkOneOf } from '../options.ts'
import { readSchedule, type Schedule, type ScheduleOptions } from './plan/schedule.ts'

/** What all jobs of a scheduler may share. A job's own option wins. */
export interface JobDefaults {
  /**
   * The lease's length: a crashed node blocks the job on others for at most so long. From 1 ms. Choose it well above the longest run, or
   * renew with `keepAlive`. Required, here or in the scheduler's defaults.
   */
  readonly lockAtMostFor?: Duration | undefined
  /**
   * The lock stays taken for at least so long from its acquisition, even if the run ends sooner. At most `lockAtMostFor`. Once-per-tick
   * holds without it. While it lasts, further ticks are skipped too.
   * @default 0
   */
  readonly lockAtLeastFor?: Duration | undefined
  /** Renew the lease at a third of its length while the job runs. @default false */
  readonly keepAlive?: boolean | undefined
  /**
   * What becomes of a tick whose node crashed, that is, whose lease lapsed without release. `'skip'`: it is over. `'rerun'`: exactly one other node
   * takes it over as soon as the lease has lapsed, with a higher fencing token.
   * @default 'skip'
   */
  readonly onCrash?: 'skip' | 'rerun' | undefined
  /**
   * What becomes of ticks that passed while no node could ask (all down, the store down, the machine asleep), found at start, after an
   * outage and after a suspension. `'latest'`: the newest of them runs. `{ window, max }`: those of the last `window` run in order, the newest `max` of them.
   * Only ticks since some node has planned the job with its present schedule: a job that is new, or whose schedule changed, owes none from before.
   * @default 'none'
   */
  readonly catchUp?: 'none' | 'latest' | CatchUpWindow | undefined
  /**
   * At start, run the latest tick that has passed unless it ran already, also when the job was never seen before. Of ten nodes that start, one
   * runs it.
   * @default false
   */
  readonly runOnStart?: boolean | undefined
  /**
   * Each node waits a random time up to this, but no longer than half the grace, before it asks for a tick, to spread the load. The tick
   * itself stays.
   * @default 0
   */
  readonly jitter?: Duration | undefined
  /**
   * How long after its time a tick may still be asked for while the store fails; it never reaches the next tick. The first answer has to
   * come within it too. From 100 ms.
   * @default '30s'
   */
  readonly graceFor?: Duration | undefined
  /**
   * When the store still fails at the end of the grace: `'skip'` the tick (closed), or `'run'` without the lock (open), for jobs that would rather run on
   * every node than not at all.
   * @default 'skip'
   */
  readonly onStoreError?: 'skip' | 'run' | undefined
}

export interface CatchUpWindow {
  /** How far back. From 1 ms. */
  readonly window: Duration
  /** How many ticks at most, from 1 to 1,000. */
  readonly max: number
}

export interface JobOptions extends ScheduleOptions, JobDefaults {
  /** The job's name, the same on every node; it is the lock's name. 1 to 255 characters. */
  readonly name: string
  /**
   * How often the job has to succeed, on whichever node: what watches over it (`ticklock/health`) tells when it has not. Choose it longer than the schedule's interval
   * and a run. From 1 s.
   * @default none
   */
  readonly expectEvery?: Duration | undefined
  /** A text kept in the store with the lock for people to read. */
  readonly metadata?: string | undefined
}

/** What a job's function gets. */
export interface JobContext {
  readonly name: string
  /** The tick's nominal time, the same on all nodes. For a trigger, when it was called. */
  readonly scheduledAt: Date
  /** When the function was called. */
  readonly firedAt: Date
  /** The lock under which it runs; undefined only with `onStoreError: 'run'` while the store is down. */
  readonly lock: Lock | undefined
  /** The lock's fencing token; undefined only with `onStoreError: 'run'` while the store is down. */
  readonly fencingToken: number | undefined
  /** Aborts with `LockLostError` when the lease is lost, and when the scheduler stops and its grace has passed. */
  readonly signal: AbortSignal
  /** The scheduler's logger with the job's name and tick in each line. */
  readonly logger: Logger
}

export type JobWork = (context: JobContext) => unknown

/** The options that defaults may have. */
export const JOB_DEFAULTS = [
  'lockAtMostFor',
  'lockAtLeastFor',
  'keepAlive',
  'onCrash',
  'catchUp',
  'runOnStart',
  'jitter',
  'graceFor',
  'onStoreError',
] as const satisfies readonly (keyof JobDefaults)[]
/** The options that a job may have. */
export const JOB_OPTIONS = [
  'name',
  'cron',
  'timezone',
  'every',
  'expectEvery',
  'metadata',
  ...JOB_DEFAULTS,
] as const satisfies readonly (keyof JobOptions)[]

/** A job as the scheduler keeps it: its options checked, and what it is doing on this node. */
export interface Job {
  readonly name: string
  readonly work: JobWork
  readonly schedule: Schedule
  lock: CheckedLockOptions
  readonly keepAlive: boolean
  /** Ms back from now, and how many ticks; undefined for none. */
  readonly catchUp: { readonly window: number; readonly max: number } | undefined
  readonly runOnStart: boolean
  readonly jitter: number
  readonly graceFor: number
  readonly onStoreError: 'skip' | 'run'
  /** In ms. */
  readonly expectEvery: number | undefined
  /** When this node planned it (monotonic). */
  plannedAt: number
  /** Ticks up to this moment are not owed; undefined until it is known. */
  since: number | undefined
  /** The tick that this node waits for to lapse (`onCrash: 'rerun'`). */
  watched: number | undefined
  /** The record's last tick, while it lies in the future by more than `maxClockSkew`, as this node last heard of it. */
  futureTick: number | undefined
  /** How many ticks on their time are being asked for right now. */
  requesting: number
  /** Whether the store said so when it last answered about a tick. */
  paused: boolean
  /** Set while ticks that passed are being asked for. */
  catchingUp: CatchingUp | undefined
  /** Whether the job was taken out of the scheduler. */
  removed: boolean
}

/** A job that catches up. */
export interface CatchingUp {
  /** New ticks that wait their turn behind those that are owed. */
  readonly queued: number[]
  /** Whether more were missed meanwhile. */
  again: boolean
  /** The record is being read; the owed ticks have their turn; the queued ones have. */
  phase: 'reading' | 'owed' | 'queued'
  /** The tick whose turn it is waits for the lock. */
  waiting: boolean
}

/** What all jobs of a scheduler share. */
export class Defaults {
  readonly #given: JobDefaults
  /** What they come to for a job without such options of its own: a company's jobs are many, and most have none. */
  #alone: SharedOptions | undefined

  constructor(given: JobDefaults = {}) {
    this.#given = { ...given }
  }

  /** The options of a job together with the defaults, checked. */
  with(options: JobDefaults, of: string): SharedOptions {
    if (JOB_DEFAULTS.some((key) => options[key] !== undefined))
      return checkShared({ ...this.#given, ...defined(options) }, of)
    this.#alone ??= checkShared(this.#given, of)
    return this.#alone
  }
}

/** Refuses defaults that no job could have. */
export function checkDefaults(defaults: JobDefaults, of: string): void {
  checkKeys(defaults, JOB_DEFAULTS, of)
  checkShared({ ...defined(defaults), lockAtMostFor: defaults.lockAtMostFor ?? MAX_DURATION }, of)
}

/**
 * `known` answers the schedule with that key, if some job has it already.
 *
 * @throws {InvalidOptionError} that names the job, the option and the value.
 */
export function checkJob(
  options: JobOptions,
  defaults: Defaults,
  work: JobWork,
  known?: (key: string) => Schedule | undefined,
): Job {
  const name = checkName((options as JobOptions | undefined)?.name, 'job')
  const of = `job ${JSON.stringify(name)}`
  checkKeys(options, JOB_OPTIONS, of)
  if (typeof work !== 'function') {
    throw new InvalidOptionError(`${of}: the work must be a function, but is ${show(work)}`)
  }
  const schedule = readSchedule(options, of, known)
  const { onCrash, lockAtMostFor, lockAtLeastFor, ...rest } = defaults.with(options, of)
  const metadata = checkMetadata(options.metadata, of)
  const common = { tick: undefined, retry: undefined, signal: undefined, mark: undefined }
  const lock = { name, lockAtMostFor, lockAtLeastFor, metadata, onCrash, ...common }
  const idle = {
    plannedAt: 0,
    since: undefined,
    watched: undefined,
    futureTick: undefined,
    requesting: 0,
    paused: false,
    catchingUp: undefined,
    removed: false,
  }
  const expectEvery =
    options.expectEvery === undefined
      ? undefined
      : parseDuration(options.expectEvery, { of, option: 'expectEvery', min: 1_000 })
  return { name, work, schedule, lock, ...rest, expectEvery, ...idle }
}

type SharedOptions = ReturnType<typeof checkShared>

function checkShared(options: JobDefaults, of: string) {
  checkOneOf(options.onCrash, ['skip', 'rerun'], of, 'onCrash')
  checkOneOf(options.onStoreError, ['skip', 'run'], of, 'onStoreError')
  checkBoolean(options.keepAlive, of, 'keepAlive')
  checkBoolean(options.runOnStart, of, 'runOnStart')
  return {
    ...checkLease(options, of),
    keepAlive: options.keepAlive ?? false,
    onCrash: options.onCrash ?? ('skip' as const),
    catchUp: readCatchUp(options.catchUp, of),
    runOnStart: options.runOnStart ?? false,
    jitter: parseDuration(options.jitter ?? 0, { of, option: 'jitter' }),
    graceFor: parseDuration(options.graceFor ?? '30s', { of, option: 'graceFor', min: 100 }),
    onStoreError: options.onStoreError ?? ('skip' as const),
  }
}

function readCatchUp(catchUp: unknown, of: string): Job['catchUp'] {
  if (catchUp === undefined || catchUp === 'none') return undefined
  if (catchUp === 'latest') return { window: Number.POSITIVE_INFINITY, max: 1 }
  if (typeof catchUp !== 'object' || catchUp === null) {
    throw new InvalidOptionError(`${of}: catchUp must be 'none', 'latest' or { window, max }, but is ${show(catchUp)}`)
  }
  checkKeys(catchUp, ['window', 'max'], `${of}: catchUp`)
  const { window, max } = catchUp as CatchUpWindow
  if (!Number.isInteger(max) || max < 1 || max > 1000) {
    throw new InvalidOptionError(`${of}: catchUp.max must be a whole number from 1 to 1000, but is ${show(max)}`)
  }
  return { window: parseDuration(window, { of, option: 'catchUp.window', min: 1 }), max }
}

/** The options that a job shares with its scheduler's defaults, as far as they have a value: one that is undefined would hide a default. */
const defined = (options: JobDefaults): JobDefaults => {
  const values: Record<string, unknown> = {}
  for (const key of JOB_DEFAULTS) if (options[key] !== undefined) values[key] = options[key]
  return values
}
