import { describeSchedule } from '../format/describe-schedule.ts'
import type { LockRecord, UnreadableRecord } from '../provider/contract.ts'
import type { RecordedEntry } from '../provider/history.ts'
import { labelOf } from '../provider/holder.ts'
import { isUnreadable } from '../provider/record.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { Overview } from './overview.ts'

/** A job as the page shows it. Times in ms since the epoch. */
export interface JobView {
  readonly name: string
  readonly schedule: string
  readonly pattern: string
  readonly timezone: string | undefined
  readonly next: number | undefined
  readonly metadata: string | undefined
  readonly paused: boolean
  readonly canPause: boolean
  readonly holder: string | undefined
  readonly heldUntil: number | undefined
  readonly lastTick: number | undefined
  /** Why no tick of it runs: its record can't be read, or its last tick is in the future. Names the remedy. */
  readonly problem: string | undefined
  /** The last tick's lease expired without a release. */
  readonly crashed: boolean
  /** Runs have failed since then, without a success. `atLeast`: possibly for longer. */
  readonly failing: Failing | undefined
  /** It was expected to succeed by then. */
  readonly overdueSince: number | undefined
  readonly lastSuccess: number | undefined
  /** How long the last run took, in ms. */
  readonly lastDuration: number | undefined
  readonly strip: readonly EntryView[]
}

export interface Failing {
  readonly since: number
  readonly atLeast: boolean
  readonly error: string | undefined
  readonly node: string
}

/** An entry without what the page doesn't need. */
export type EntryView = Omit<RecordedEntry, 'changedAt'>

export const withoutTime = ({ changedAt: _, ...entry }: RecordedEntry): EntryView => entry

/** `strip`: the job's last entries, newest first. */
export function jobView(
  scheduler: Scheduler,
  name: string,
  found: LockRecord | UnreadableRecord | undefined,
  strip: readonly RecordedEntry[],
  overview: Overview,
): JobView {
  const { cron, timezone, every, nextTick, metadata } = scheduler.describe(name)
  const lock = overview.lockOf(name)
  const record = found === undefined || isUnreadable(found) ? undefined : found
  const holder = lock?.held ? record : undefined
  const success = strip.find(({ outcome }) => outcome === 'succeeded')
  return {
    name,
    schedule: describeSchedule({ cron, timezone, every }),
    pattern: cron === undefined ? `every ${every} ms` : `${cron} (${timezone})`,
    timezone,
    next: nextTick?.getTime(),
    metadata,
    paused: lock?.paused ?? false,
    canPause: scheduler.canPause,
    holder: holder && labelOf(holder.lockedBy),
    heldUntil: holder?.lockUntil,
    lastTick: record?.lastTick,
    problem: lock?.problem,
    crashed: lock?.crashed ?? false,
    failing: failingOf(strip),
    overdueSince: overview.overdueOf(name)?.since.getTime(),
    lastSuccess: success ? success.at + (success.duration ?? 0) : overview.outcomeOf(name)?.lastSuccess,
    lastDuration: strip.find(({ duration }) => duration !== undefined)?.duration,
    strip: strip.map(withoutTime).reverse(),
  }
}

/** The failures since the last success. Misses, skips and the run under way change nothing. */
function failingOf(strip: readonly RecordedEntry[]): Failing | undefined {
  const ended = strip.filter(({ outcome }) => outcome === 'succeeded' || isFailure(outcome))
  const success = ended.findIndex(({ outcome }) => outcome === 'succeeded')
  const failures = success === -1 ? ended : ended.slice(0, success)
  const [last, first] = [failures[0], failures.at(-1)]
  if (!last || !first) return undefined
  const error = last.error ?? (last.outcome === 'lost' ? 'the lock was lost while it ran' : undefined)
  return { since: first.at, atLeast: success === -1, error, node: last.node }
}

const isFailure = (outcome: string): boolean => outcome === 'failed' || outcome === 'lost'

export function byJob(entries: readonly RecordedEntry[]): Map<string, RecordedEntry[]> {
  const groups = new Map<string, RecordedEntry[]>()
  for (const entry of entries) {
    const group = groups.get(entry.job)
    if (group) group.push(entry)
    else groups.set(entry.job, [entry])
  }
  return groups
}
