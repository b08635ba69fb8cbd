import { setTimeout as sleep } from 'node:timers/promises'

/** Does the work again and again, with a pause between, until SIGINT or SIGTERM. */
export async function untilStopped(pause: number, work: () => Promise<void>, first?: () => void): Promise<void> {
  const stopped = new AbortController()
  const stop = (): void => stopped.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    first?.()
    while (!stopped.signal.aborted) {
      await work()
      await sleep(pause, undefined, { signal: stopped.signal }).catch(() => {})
    }
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
