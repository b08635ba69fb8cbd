import { isStoreError } from '../errors.ts'
import type { Job } from './job.ts'
import { emitStoreError, type SchedulerContext } from './scheduler-context.ts'

/** Pauses or resumes a job in the store, for all nodes. False when it was so before. Rejects with a `StoreError` when the store failed. */
export async function setPaused(context: SchedulerContext, job: Job, paused: boolean): Promise<boolean> {
  const { acquireContext, events } = context
  const { name } = job
  try {
    const changed = await acquireContext.client.setPaused({ name, paused })
    job.paused = paused
    if (changed) events.emit(paused ? 'paused' : 'resumed', () => ({ job: name }))
    return changed
  } catch (error) {
    if (isStoreError(error)) emitStoreError(context, 'pause', name, error)
    throw error
  }
}
