import type { Logger } from '../logger.ts'
import type { JobContext } from '../scheduler/job.ts'

/** What a run of a job gets, whichever way it runs. */
export interface RunEnvironment {
  readonly job: JobContext
  /** Aborts when the lock is lost, the scheduler stops, or the job's `timeout` is over. */
  readonly signal: AbortSignal
  readonly logger: Logger
  /** The variables that a command does not get from this process. */
  readonly withheld: ReadonlySet<string>
  /** The lock as a process sees it. */
  readonly environment: Readonly<Record<string, string>>
}

export interface LockFacts {
  readonly name: string
  readonly scheduledAt: Date
  readonly firedAt: Date
  /** Undefined when it runs without the lock, because the store is down and `onStoreError` says so. */
  readonly fencingToken: number | undefined
  readonly lockUntil: Date | undefined
}

/** The variables that a job's process gets. */
export function lockEnvironment({
  name,
  scheduledAt,
  firedAt,
  fencingToken,
  lockUntil,
}: LockFacts): Record<string, string> {
  return {
    TICKLOCK_JOB: name,
    TICKLOCK_SCHEDULED_AT: scheduledAt.toISOString(),
    TICKLOCK_FIRED_AT: firedAt.toISOString(),
    ...(fencingToken !== undefined && { TICKLOCK_FENCING_TOKEN: String(fencingToken) }),
    ...(lockUntil !== undefined && { TICKLOCK_LOCK_UNTIL: lockUntil.toISOString() }),
  }
}
