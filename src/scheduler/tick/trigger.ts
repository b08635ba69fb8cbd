import { isStoreError, type RefusalReason } from '../../errors.ts'
import { Lock } from '../../lock/lock.ts'
import { tryObtain } from '../../lock/obtain.ts'
import { emitStoreError, type SchedulerContext } from '../scheduler-context.ts'
import { emitSkipped, RUNNING_HERE, type SkipDetails } from './outcome.ts'
import { Run } from './run.ts'
import type { Tick } from './tick.ts'

/** What came of a trigger. */
export type TriggerOutcome =
  | { readonly ran: true; readonly value: unknown }
  | {
      readonly ran: false
      /** `'running'`: it runs on this node. */
      readonly reason: RefusalReason | 'running'
      readonly heldBy: string | undefined
      readonly heldUntil: Date | undefined
    }

/**
 * Runs a job now, under its lock. Takes no tick. Rejects with what the job throws, and with a `StoreError` when the
 * lock could not be requested.
 */
export async function runTrigger(context: SchedulerContext, tick: Tick): Promise<TriggerOutcome> {
  if (context.running.has(tick.job.name)) return skipped(context, tick, RUNNING_HERE)
  const lock = await tryObtain(context.acquireContext, tick.job.lock).catch((error) => {
    if (isStoreError(error)) emitStoreError(context, 'acquire', tick.job.name, error)
    throw error
  })
  if (!(lock instanceof Lock))
    return skipped(context, tick, { heldBy: undefined, heldUntil: undefined, ...lock.details })
  if (context.running.has(lock.name)) {
    // It began meanwhile, by its schedule, and has lost its lease since.
    await lock.release().catch(() => {})
    return skipped(context, tick, RUNNING_HERE)
  }
  const outcome = await new Run(context, tick, lock).execute()
  if (!outcome.succeeded) throw outcome.error
  return { ran: true, value: outcome.value }
}

function skipped(context: SchedulerContext, tick: Tick, details: SkipDetails): TriggerOutcome {
  emitSkipped(context, tick, details)
  return { ran: false, ...details }
}
