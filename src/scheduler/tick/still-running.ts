/** The errors of work that goes on in spite of them, each with the promise of its real end. */
const ends = new WeakMap<object, Promise<unknown>>()

/**
 * Marks an error that is thrown for work which could not be ended: a function that ignores its signal, a process that
 * can't be killed. The run has failed. Its lock is not renewed any more, and is not released at once either, since
 * another node could start beside it: it stays taken until the work ends, or the lease nearly does. A run without a
 * lock keeps its node from running the job for as long. Mark an error that was made for this run alone.
 *
 * @param end Never rejects.
 */
export function markStillRunning<Marked extends Error>(error: Marked, end: Promise<unknown>): Marked {
  ends.set(error, end)
  return error
}

/** The end of the work that failed with this error but still runs; `undefined` for work that has ended. */
export const endOfWork = (error: unknown): Promise<unknown> | undefined =>
  typeof error === 'object' && error !== null ? ends.get(error) : undefined
