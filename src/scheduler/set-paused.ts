import { isStoreError } from '../errors.ts'
import type { Job } from './job.ts'
import { type Engine, tellStoreError } from './scheduler-context.ts'

/** Pauses or resumes a job in the store, for all nodes. False when it was so before. Rejects with a `StoreError` when the store failed. */
export async function setPaused(engine: Engine, job: Job, paused: boolean): Promise<boolean> {
  const { asker, events } = engine
  const { name } = job
  try {
    const changed = await asker.store.setPaused({ name, paused })
    job.paused = paused
    if (changed) events.emit(paused ? 'paused' : 'resumed', () => ({ job: name }))
    return changed
  } catch (error) {
    if (isStoreError(error)) tellStoreError(engine, 'pause', name, error)
    throw error
  }
}
