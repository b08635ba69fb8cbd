import { setTimeout as sleep } from 'node:timers/promises'
import type { JobContext } from 'ticklock'

export async function report({ scheduledAt, signal, logger }: JobContext): Promise<void> {
  logger.info({}, `report for ${scheduledAt.toISOString()}`)
  await sleep(500, undefined, { signal }) // ends at once when the lock is lost or ticklock stops
}
