import { isLockNotHeld } from '../errors.ts'
import type { Lock } from '../lock/lock.ts'
import type { ReleaseListener } from '../lock/release-retries.ts'

export interface EndListener extends ReleaseListener {
  /** The store failed. The release is retried. */
  notReleased?(lock: Lock, error: unknown): void
  /** Retries go on in the background until this resolves. It never rejects. */
  retrying?(settled: Promise<void>): void
}

/**
 * Releases a lock after its work has ended. Never rejects. When the store fails, the release is retried in the
 * background.
 */
export const releaseAfterWork = (lock: Lock, listener: EndListener): Promise<void> =>
  lock.release().then(
    () => listener.released?.(),
    (error) => {
      if (isLockNotHeld(error)) return
      listener.notReleased?.(lock, error)
      const settled = lock.retryRelease(listener)
      listener.retrying?.(settled)
    },
  )
