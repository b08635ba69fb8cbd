import type { JobOptions } from '../../src/index.ts'
import type { StartedEvent } from '../../src/scheduler/events.ts'
import { readSchedule, type Schedule } from '../../src/scheduler/plan/schedule.ts'
import type { Life } from './life.ts'
import type { Witness } from './witness.ts'

/** A node knows the store's clock so well, in ms, when it plans a job, and the mark of a plan is cut to whole milliseconds. */
const KNOWN = 550

const keyOf = (name: string, { key }: Schedule): string => `${name} ${key}`

/** Keeps when any node first planned a job with its present schedule. */
export function notePlan(witness: Witness, options: JobOptions): void {
  const key = keyOf(options.name, scheduleOf(witness, options))
  if (!witness.plannedFirst.has(key)) witness.plannedFirst.set(key, witness.now)
}

/** A changed schedule never runs a tick from before the change, unless `runOnStart` says so. */
export function judgeChange(witness: Witness, life: Life, { job, kind, scheduledAt }: StartedEvent): void {
  const [current, ...before] = life.versions.get(job)?.toReversed() ?? []
  if (kind !== 'catch-up' || !current || current.options.runOnStart) return
  const tick = +scheduledAt
  // What was requested before a reload may be granted after it.
  if (before.some(({ options }) => scheduleOf(witness, options).last(1, tick)[0] === tick)) return
  const since = witness.plannedFirst.get(keyOf(job, scheduleOf(witness, current.options))) ?? 0
  if (tick >= since - KNOWN) return
  witness.violate(
    'changed schedule',
    `${life.node} runs ${job} at ${scheduledAt.toISOString()}, before it had that schedule`,
  )
}

export function scheduleOf(witness: Witness, options: JobOptions): Schedule {
  const schedule = readSchedule(options, options.name, (key) => witness.schedules.get(key))
  witness.schedules.set(schedule.key, schedule)
  return schedule
}
