import type { Lock } from '../lock/lock.ts'
import { runWithLock } from './current-lock.ts'
import { keepAlive } from './keep-alive.ts'
import { releaseAfterWork } from './release.ts'

export interface RunLockedOptions {
  /** Renew the lease while the work runs. */
  readonly keepAlive: boolean
}

/**
 * Runs work under a lock that was obtained for it, keeps the lease alive if asked, and gives the lock back whatever comes of the work.
 * The outcome is the work's own.
 */
export async function runLocked<T>(lock: Lock, options: RunLockedOptions, work: () => T | PromiseLike<T>): Promise<T> {
  const stopRenewal = options.keepAlive ? keepAlive(lock) : undefined
  try {
    return await runWithLock(lock, work)
  } finally {
    stopRenewal?.()
    await releaseAfterWork(lock, {})
  }
}
