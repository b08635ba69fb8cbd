import { workerData } from 'node:worker_threads'
import { InvalidOptionError } from '../errors.ts'
import { type LockedFunction, lockedBy } from '../locked/locked.ts'
import { nominalTick } from '../locked/nominal-tick.ts'
import type { TickOfCall } from '../locked/tick-of-call.ts'

/** What Bree tells a worker about its job, as far as it is used here. */
interface BreeJob {
  readonly name?: unknown
  readonly cron?: unknown
  readonly interval?: unknown
  readonly timezone?: unknown
  readonly date?: unknown
}

/**
 * `locked` for the worker of a Bree 9 job: Bree tells its workers how they are scheduled, and the latest tick of that, at the moment of the call, is
 * the tick: `cron` by its pattern, `date` by its date, an `interval` by windows of its length since the epoch. Call the wrapped function at
 * the beginning of the worker, since the tick is that of the call. A job with only a `timeout` has no tick and needs `lockAtLeastFor`, and an interval in
 * words (`'at 10:15 am'`) needs the option `cron` here. A call outside of Bree's workers is refused, unless the options name its tick.
 *
 * @example
 * await locked({ locker, name: 'report', lockAtMostFor: '10m' }, report)()
 */
export const locked: LockedFunction = lockedBy(() => {
  const job = (workerData as { readonly job?: BreeJob } | null)?.job
  return job && tickOf(job)
})

function tickOf({ name, cron, interval, timezone, date }: BreeJob): TickOfCall {
  const of = `locked in the worker of Bree's job ${JSON.stringify(name)}`
  if (typeof cron === 'string') return nominalTick({ cron, timezone: zoneOf(timezone) }, of)?.()
  if (date instanceof Date) return date
  if (typeof interval === 'number' && interval > 0) return nominalTick({ every: interval }, of)?.()
  if (typeof interval !== 'object' || interval === null) return 'no-schedule'
  throw new InvalidOptionError(`${of}: its interval is in words; give locked() the option cron with the same schedule`)
}

/** Bree goes by the machine's time zone unless the job has one. */
const zoneOf = (timezone: unknown): string =>
  typeof timezone === 'string' && timezone !== 'local' ? timezone : Intl.DateTimeFormat().resolvedOptions().timeZone
