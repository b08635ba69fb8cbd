import { setTimeout as sleep } from 'node:timers/promises'
import type { Scheduler } from 'ticklock'

/** A name that would be a script if anybody took it for HTML. */
export const SCRIPT = '<script>alert(1)</script>'
/** An error and a description that would be elements. */
export const IMAGE = `<img src="x" onerror="alert(2)">&quot;'`
export const MARKUP = '"><svg onload=alert(3)>'

/** The jobs that the tests and the screenshots look at. */
export function jobsFor(scheduler: Scheduler): void {
  const work =
    (least: number, most: number) =>
    async ({ signal }: { readonly signal: AbortSignal }) => {
      await sleep(least + Math.random() * (most - least), undefined, { signal })
    }
  scheduler.job({ name: 'sync-orders', every: '2s', metadata: 'team: shop' }, work(300, 1_200))
  scheduler.job({ name: 'send-mails', cron: '*/5 * * * * *', timezone: 'Europe/Berlin' }, work(1_000, 2_500))
  scheduler.job({ name: 'import-prices', every: '7s' }, work(2_000, 5_000))
  scheduler.job({ name: 'check-stock', every: '3s' }, async ({ scheduledAt, signal }) => {
    await sleep(400, undefined, { signal })
    if ((scheduledAt.getTime() / 3_000) % 4 === 0)
      throw new Error('stock of 4711 is negative at postgres://stock:s3cret@db/stock')
  })
  scheduler.job({ name: 'long-report', every: '1h' }, ({ signal }) => sleep(3_600_000, undefined, { signal }))
  scheduler.job(
    { name: 'nightly-report', cron: '0 2 * * *', timezone: 'Europe/Berlin', lockAtMostFor: '30m' },
    work(50, 80),
  )
  scheduler.job({ name: 'close-month', cron: '0 6 1 * *' }, work(50, 80))
}

/** A job all of whose strings look like elements, and which fails. Not for the pictures of the documentation. */
export function awkwardJobFor(scheduler: Scheduler): void {
  scheduler.job({ name: SCRIPT, every: '4s', metadata: MARKUP }, () => {
    throw new Error(IMAGE)
  })
}
