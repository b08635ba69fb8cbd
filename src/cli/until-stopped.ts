import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { onStopSignal } from './signals.ts'

/** Repeats the work, with a pause of `pause` ms between, until SIGINT or SIGTERM. A second signal ends the process at once. */
export async function untilStopped(pause: number, work: () => Promise<void>, first?: () => void): Promise<void> {
  const stopped = new AbortController()
  const off = onStopSignal((signal, count) => {
    if (count > 1) process.exit(128 + constants.signals[signal])
    stopped.abort()
  })
  try {
    first?.()
    while (!stopped.signal.aborted) {
      await work()
      await sleep(pause, undefined, { signal: stopped.signal }).catch(() => {})
    }
  } finally {
    off()
  }
}
