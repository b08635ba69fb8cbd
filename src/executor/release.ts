import { type Clock, LONGEST_TIMER, sleep } from '../clock.ts'
import { isLockNotHeld } from '../errors.ts'
import type { Lock } from '../lock/lock.ts'

export interface ReleaseListener {
  /** The lock was given back. */
  released?(lock: Lock): void
  /** The lease was over before it could be given back. */
  notHeld?(lock: Lock): void
  /** The store failed; it is asked again in the background while the lease lasts. */
  notReleased?(lock: Lock, error: unknown): void
  /** The asking that goes on in the background; never rejects. */
  goesOn?(settled: Promise<void>): void
}

const FIRST_PAUSE = 100

/**
 * Gives a lock back after its work has ended. Never throws. When the store fails, the answer does not wait: the work is done, and the
 * lock is asked to be released again, with growing pauses, until its lease has ended by itself.
 */
export async function releaseAfterWork(clock: Clock, lock: Lock, listener: ReleaseListener): Promise<void> {
  try {
    await lock.release()
    listener.released?.(lock)
  } catch (error) {
    if (isOver(lock, listener, error)) return
    const settled = goOn(clock, lock, listener)
    listener.goesOn?.(settled)
  }
}

async function goOn(clock: Clock, lock: Lock, listener: ReleaseListener): Promise<void> {
  for (let pause = FIRST_PAUSE; lock.held; pause = Math.min(pause * 2, LONGEST_TIMER)) {
    await sleep(clock, Math.min(pause, lock.remaining), undefined, { background: true })
    try {
      await lock.release()
      return listener.released?.(lock)
    } catch (error) {
      if (isOver(lock, listener, error)) return
    }
  }
}

/** False when the store failed. */
function isOver(lock: Lock, listener: ReleaseListener, error: unknown): boolean {
  const over = isLockNotHeld(error)
  if (over) listener.notHeld?.(lock)
  else listener.notReleased?.(lock, error)
  return over
}
