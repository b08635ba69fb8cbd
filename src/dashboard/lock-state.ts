/* What the lock of a job says about the job. */
import type { LockRecord, UnreadableRecord } from '../provider/contract.ts'
import { isUnreadable, shellWord } from '../provider/record.ts'
import { futureTickOf } from '../scheduler/tick/future-tick.ts'

export interface LockState {
  /** Somebody holds it, or `lockAtLeastFor` is not over. */
  readonly held: boolean
  readonly paused: boolean
  /** The last tick's lease expired, and nobody released it. */
  readonly crashed: boolean
  /** Why no tick runs until somebody resets the record: what is wrong, and the remedy. */
  readonly problem: string | undefined
}

export function lockState(record: LockRecord | UnreadableRecord): LockState {
  if (isUnreadable(record)) return { held: false, paused: false, crashed: false, problem: record.unreadable.message }
  const { name, lockUntil, lastTick, tickDone, paused = false, storeTime } = record
  const held = lockUntil > storeTime
  const isAhead = lastTick !== undefined && futureTickOf(record) !== undefined
  return {
    held,
    paused,
    crashed: !held && lastTick !== undefined && !tickDone,
    problem: isAhead
      ? `no tick runs until ${new Date(lastTick).toISOString()}, the record's last tick; repair it with: ticklock reset ${shellWord(name)}`
      : undefined,
  }
}
