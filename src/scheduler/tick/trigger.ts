import { isStoreError, type RefusalReason } from '../../errors.ts'
import { Lock } from '../../lock/lock.ts'
import { attempt } from '../../lock/obtain.ts'
import { type Engine, type Tick, tellStoreError } from '../scheduler-context.ts'
import { RUNNING_HERE, type SkipDetails, tellSkipped } from './outcome.ts'
import { Run } from './run.ts'

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

/** Runs a job now, under its lock. Takes no tick. Rejects with what the job throws, and with a `StoreError` when the lock could not be asked for. */
export async function triggered(engine: Engine, tick: Tick): Promise<TriggerOutcome> {
  if (engine.runs.has(tick.job.name)) return skipped(engine, tick, RUNNING_HERE)
  const lock = await attempt(engine.asker, tick.job.lock).catch((error) => {
    if (isStoreError(error)) tellStoreError(engine, 'acquire', tick.job.name, error)
    throw error
  })
  if (!(lock instanceof Lock))
    return skipped(engine, tick, { heldBy: undefined, heldUntil: undefined, ...lock.details })
  if (engine.runs.has(lock.name)) {
    // It began meanwhile, by its schedule, and has lost its lease since.
    await lock.release().catch(() => {})
    return skipped(engine, tick, RUNNING_HERE)
  }
  const outcome = await new Run(engine, tick, lock).execute()
  if (!outcome.succeeded) throw outcome.error
  return { ran: true, value: outcome.value }
}

function skipped(engine: Engine, tick: Tick, details: SkipDetails): TriggerOutcome {
  tellSkipped(engine, tick, details)
  return { ran: false, ...details }
}
