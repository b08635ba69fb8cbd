import type { Timer } from '../clock.ts'
import { isStoreError } from '../errors.ts'
import type { Lock } from '../lock/lock.ts'

export interface KeepAliveListener {
  /** The lease was extended. */
  extended?(lock: Lock): void
  /** The store failed. The lease is still held, and the renewal is retried. */
  notExtended?(lock: Lock, error: unknown): void
}

/**
 * The share of what is left of a lease after which it is renewed: two more renewals may fail before it ends. As pglock,
 * etcd and Consul do. Less than its length is left when the response that granted it took long.
 */
const RENEW_AFTER = 1 / 3
/** After a renewal that failed, the next try comes when this share of what is left has passed, and not sooner than 10 ms. */
const RETRY_AFTER = 1 / 8
const SHORTEST_DELAY = 10
/** The timeout of a renewal, as a share of what is left: a renewal that was lost on its way leaves time for another. */
const TIMEOUT = 1 / 2

/**
 * Renews a lease at a third of its length, or of what is left of it, until it is stopped or lost. A renewal that failed
 * is retried until the lease's own deadline. A renewal that the store refuses ends the lease at once. In both cases the
 * lock's signal aborts. Leases that began together are renewed together, in one batch.
 *
 * @returns The function that stops it.
 */
export function keepAlive(lock: Lock, listener: KeepAliveListener = {}): () => void {
  let stopped = false
  let timer: Timer | undefined

  const renewIn = (ms: number): void => {
    if (stopped) return
    timer = lock.setRenewal(ms, () => void renew())
  }
  // A lease that was extended by hand is renewed as often as before.
  const renewInTime = (): void => renewIn(Math.min(lock.lockAtMostFor, lock.remaining) * RENEW_AFTER)
  const renew = async (): Promise<void> => {
    try {
      await lock.renew(lock.remaining * TIMEOUT)
      if (!stopped) listener.extended?.(lock)
      renewInTime()
    } catch (error) {
      if (stopped || !isStoreError(error) || lock.lost) return
      listener.notExtended?.(lock, error)
      renewIn(Math.max(SHORTEST_DELAY, lock.remaining * RETRY_AFTER))
    }
  }

  renewInTime()
  return () => {
    stopped = true
    timer?.cancel()
  }
}
