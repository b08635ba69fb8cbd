import type { Scheduler } from 'ticklock'
import type { Witness } from '../witness-file.ts'

/** Writes down what the scheduler tells of ticks that it didn't run, and of leases lost. Answers which kind of run a job is in. */
export function watchEvents(scheduler: Scheduler, witness: Witness): (job: string) => string {
  const kinds = new Map<string, string>()
  scheduler.on('started', ({ job, kind }) => kinds.set(job, kind))
  scheduler.on('lost', ({ job, scheduledAt, fencingToken: token }) =>
    witness.write({ what: 'lost', job, tick: scheduledAt.getTime(), token }),
  )
  for (const what of ['skipped', 'missed'] as const) {
    scheduler.on(what, ({ job, kind, scheduledAt, reason }) =>
      witness.write({ what, job, kind, tick: scheduledAt.getTime(), reason }),
    )
  }
  return (job) => kinds.get(job) ?? ''
}
