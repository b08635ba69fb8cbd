import type { Lock } from '../../src/index.ts'
import type { Life } from './life.ts'

/** A run of a job, as it really was. */
export interface WitnessedRun {
  readonly job: string
  readonly kind: string
  readonly tick: number
  readonly life: Life
  readonly lock: Lock | undefined
  readonly signal: AbortSignal | undefined
  readonly token: number
  readonly startedAt: number
  endedAt: number | undefined
  /** When the lease under which it began, or was extended to, ends in the store. */
  leaseUntil: number
  /** The same, as its node has heard in time: of an extension whose answer came when it had given up its lease, it knows nothing. */
  heardUntil: number
}
