import { sleep } from '../clock.ts'
import type { Grant } from '../lock/acquisition.ts'
import type { Lock } from '../lock/lock.ts'
import { beginAcquisition, takeLock } from '../lock/obtain.ts'
import type { Refused } from '../provider/contract.ts'
import { type Engine, type Tick, tellStoreError } from './engine.ts'

/** What came of asking for a tick. */
export type Answer =
  | { readonly outcome: 'granted'; readonly lock: Lock }
  | { readonly outcome: 'refused'; readonly refused: Refused }
  /** The store failed until the time was up. */
  | { readonly outcome: 'failed'; readonly error: unknown }
  /** Granted, but by now the job runs here without a lease that holds; given back. */
  | { readonly outcome: 'running' }
  /** The scheduler began to stop, or the job was removed, while the store was failing. Or it was granted after the grace of the stop, and given back. */
  | { readonly outcome: 'stopped' }

const FIRST_PAUSE = 50
const LONGEST_PAUSE = 2_000

/**
 * Asks for a tick, and while the store fails asks again with the same owner, with growing pauses, until `until` (monotonic). A grant that
 * comes after that is given back. Never rejects.
 */
export async function askForTick(engine: Engine, { job, time }: Tick, until: number): Promise<Answer> {
  const { clock, asker, stopping, closing } = engine
  const acquisition = beginAcquisition(asker, { ...job.lock, tick: time })
  try {
    for (let failures = 1; ; failures++) {
      let answer: Grant | Refused | undefined
      try {
        const left = Math.max(1, until - clock.monotonic())
        answer = await acquisition.ask(Math.min(asker.store.timeout, job.lock.lockAtMostFor, left))
      } catch (error) {
        tellStoreError(engine, 'acquire', job.name, error)
        if (stopping.aborted || job.removed) return { outcome: 'stopped' }
        await pause(engine, Math.min(until - clock.monotonic(), pauseAfter(failures, engine.random())))
        // What came meanwhile came in time.
        answer = acquisition.answer
        // At its very end the next tick is due, and this one must not be taken any more.
        if (!answer && clock.monotonic() >= until) return { outcome: 'failed', error }
      }
      if (!answer) continue
      if (!answer.granted) return { outcome: 'refused', refused: answer }
      // What is not taken is given back below, and its tick is not marked as done: under `onCrash: 'rerun'` it is still to be had.
      if (engine.runs.has(job.name)) return { outcome: 'running' }
      if (closing.aborted) return { outcome: 'stopped' }
      // A grant that comes while the runs drain is used: to all other nodes this tick is taken.
      return { outcome: 'granted', lock: takeLock(asker, job.lock, acquisition, answer) }
    }
  } finally {
    acquisition.abandon()
  }
}

/** Twice as long after each failure, and random by half, so that nodes don't come back all at once when the store does. */
export const pauseAfter = (failures: number, random: number): number =>
  Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures - 1, 20)) * (0.5 + random / 2)

/** Waits, or less when the scheduler begins to stop. */
export async function pause({ clock, stopping }: Engine, ms: number): Promise<void> {
  await sleep(clock, ms, stopping).catch(() => {})
}
