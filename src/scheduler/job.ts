import { parseDuration, show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import type { Lock } from '../lock/lock.ts'
import type { CheckedLockOptions } from '../lock/lock-options.ts'
import type { Logger } from '../logger.ts'
import { checkKeys, checkMetadata, checkName } from '../options.ts'
import type { CheckedDefaults, JobOptions } from './job-options.ts'
import { type Defaults, JOB_OPTIONS } from './job-options.ts'
import { readSchedule, type Schedule } from './plan/schedule.ts'

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

/** A job's options after they were checked. Durations in ms. */
export interface JobSpec extends Omit<CheckedDefaults, 'lockAtMostFor' | 'lockAtLeastFor' | 'onCrash'> {
  readonly name: string
  readonly work: JobWork
  readonly schedule: Schedule
  readonly expectEvery: number | undefined
}

/** What a job does on this node. */
export interface JobState {
  /** What its lock is requested with. The mark at the end of the owner changes. */
  lock: CheckedLockOptions
  /** When this node planned it (monotonic). */
  plannedAt: number
  /** Ticks up to this moment don't count as missed. Undefined until it is known. */
  since: number | undefined
  /** The tick whose lease this node waits for to expire (`onCrash: 'rerun'`). */
  watched: number | undefined
  /** The record's last tick, while it lies in the future by more than `maxClockSkew`, as this node last heard of it. */
  futureTick: number | undefined
  /** How many ticks on their time are being requested right now. */
  requesting: number
  /** Whether the store's last response about a tick said that the job is paused. */
  paused: boolean
  /** Set while missed ticks are being requested. */
  catchingUp: CatchingUp | undefined
  /** Whether the job was removed from the scheduler. */
  removed: boolean
}

/** A job as the scheduler keeps it: its options, and its state on this node. */
export interface Job extends JobSpec, JobState {}

/** A job that catches up. */
export interface CatchingUp {
  /** New ticks that wait behind the missed ones. */
  readonly queued: number[]
  /** Whether more were missed meanwhile. */
  again: boolean
  /** The record is being read, then the missed ticks are requested, then the queued ones. */
  phase: 'reading' | 'missed' | 'queued'
  /** The tick that is being requested waits for the lock. */
  waiting: boolean
}

/** A tick is requested with its own time, and nobody waits for its lock. */
const NO_WAIT = { tick: undefined, retry: undefined, signal: undefined, mark: undefined }

/** The state of a job before its first tick, but for its lock. */
const IDLE: Omit<JobState, 'lock'> = {
  plannedAt: 0,
  since: undefined,
  watched: undefined,
  futureTick: undefined,
  requesting: 0,
  paused: false,
  catchingUp: undefined,
  removed: false,
}

/**
 * Checks the options of a job. `known` returns the schedule with that key, if some job has it already.
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
  const lock = { name, lockAtMostFor, lockAtLeastFor, metadata, onCrash, ...NO_WAIT }
  const expectEvery =
    options.expectEvery === undefined
      ? undefined
      : parseDuration(options.expectEvery, { of, option: 'expectEvery', min: 1_000 })
  return { name, work, schedule, lock, ...rest, expectEvery, ...IDLE }
}
