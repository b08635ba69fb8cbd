// Screenshots of the page at 1, 30 and 500 jobs, light, dark and on a phone: node --import tsx test/dashboard/looks.ts <folder>
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { memory } from '../../providers/memory/memory.ts'
import { serveDashboard } from '../../src/dashboard/index.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import type { HistoryEntry } from '../../src/provider/history.ts'
import { Scheduler } from '../../src/scheduler/scheduler.ts'
import { launchBrowser } from './browser.ts'

const TOKEN = 'a token of the screenshots, of nobody'
const [, , folder = '.'] = process.argv
const SCENES = [
  { name: 'light', colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  { name: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  { name: 'phone', colorScheme: 'light', viewport: { width: 390, height: 844 } },
] as const

const browser = await launchBrowser()
for (const jobs of [1, 30, 500]) await look(browser, jobs)
await browser.close()

async function look(browser: Browser, count: number): Promise<void> {
  const provider = memory()
  const scheduler = new Scheduler({ provider, label: 'node-1', defaults: { lockAtMostFor: '10m' } })
  const names = Array.from({ length: count }, (_, index) => nameOf(index))
  for (const [index, name] of names.entries())
    scheduler.job({ name, cron: `${index % 60} ${index % 24} * * *`, timezone: 'Europe/Berlin' }, () => {})
  await provider.history?.write(names.flatMap(history))
  const now = Date.now()
  for (const label of ['node-1', 'node-2', 'node-10'])
    await provider.history?.write([], { label, startedAt: now - 7_200_000, skew: 3, running: 1, stopped: false })
  if (count > 1) {
    await provider.setPaused?.({ name: nameOf(5), paused: true })
    const locks = provider.locks as Map<string, StoredLock>
    locks.set(nameOf(6), { name: nameOf(6), lockUntil: 9e15 } as StoredLock)
  }
  const server = await serveDashboard({ schedulers: scheduler, listen: 0, token: TOKEN })
  for (const { name, ...options } of SCENES) {
    const page = await browser.newPage(options)
    page.on('pageerror', (error) => console.error(error))
    await page.goto(server.url)
    await page.locator('#jobs tr[data-job]').first().waitFor()
    await page.screenshot({ path: join(folder, `${count}-${name}.png`) })
    if (count === 30) {
      await page.screenshot({ path: join(folder, `${count}-${name}-full.png`), fullPage: true })
      await page.locator('#jobs tr.trouble a').last().click()
      await page.locator('#chart').waitFor()
      await page.screenshot({ path: join(folder, `job-${name}.png`), fullPage: true })
    }
    await page.close()
  }
  await server.close()
  await scheduler.stop({ graceFor: 0 })
}

function nameOf(index: number): string {
  const kinds = ['sync-orders', 'nightly-report', 'check-stock', 'send-mails', 'import-prices']
  return `${kinds[index % kinds.length]}-${Math.floor(index / kinds.length) + 1}`
}

/** The last runs of a job: some fail, and some are under way. */
function history(job: string, index: number): HistoryEntry[] {
  const now = Date.now()
  return Array.from({ length: 12 }, (_, back): HistoryEntry => {
    const at = now - back * 240_000 - index * 1_000
    const fails = index % 11 === 2 && back < 4
    const runs = index % 13 === 1 && back === 0
    return {
      id: `${job} ${back}`,
      job,
      node: `node-${[1, 2, 10][(index + back) % 3]}`,
      kind: 'schedule',
      outcome: runs ? 'running' : fails ? 'failed' : 'succeeded',
      scheduledAt: at,
      at,
      ...(!runs && { duration: 800 + ((index * 37 + back * 91) % 50) * 100 }),
      ...(fails && { error: 'Error: connect ETIMEDOUT 10.1.2.3:5432 while reading the orders of yesterday' }),
    }
  })
}
