// How long the page takes to load with 10,000 jobs and 100,000 runs: node --import tsx test/dashboard/ten-thousand.ts [store URL; default a SQLite file]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LockProvider, Scheduler } from 'ticklock'
import { serveDashboard } from 'ticklock/dashboard'
import { postgres } from 'ticklock/postgres'
import { sqlite } from 'ticklock/sqlite'
import { launchBrowser } from './browser.ts'

const JOBS = 10_000
const RUNS = 100_000

const folder = mkdtempSync(join(tmpdir(), 'ticklock-ten-thousand-'))
const url = process.argv[2]
const provider: LockProvider = url ? postgres({ url, table: 'ten_thousand' }) : sqlite(join(folder, 'locks.sqlite'))
await provider.setup?.()
await provider.history?.setup?.()

const scheduler = new Scheduler({ provider, label: 'node-1', defaults: { lockAtMostFor: '1m' } })
for (let index = 0; index < JOBS; index++)
  scheduler.job({ name: `job-${String(index).padStart(5, '0')}`, cron: `${index % 60} ${index % 24} * * *` }, () => {})
await scheduler.start()

const now = Date.now()
for (let from = 0; from < RUNS; from += 500) {
  const entries = Array.from({ length: 500 }, (_, offset) => {
    const index = from + offset
    const at = now - index * 36
    const outcome = index % 50 === 0 ? ('failed' as const) : ('succeeded' as const)
    const job = `job-${String(index % JOBS).padStart(5, '0')}`
    return {
      id: `${index}`,
      job,
      node: `node-${index % 5}`,
      kind: 'schedule' as const,
      outcome,
      scheduledAt: at,
      at,
      duration: 20,
    }
  })
  await provider.history?.write(entries, {
    label: `node-${(from / 500) % 5}`,
    startedAt: now - 3_600_000,
    skew: 3,
    running: 0,
    stopped: false,
  })
}

const server = await serveDashboard({ schedulers: scheduler, listen: 0 })
const browser = await launchBrowser()
try {
  const page = await browser.newPage()
  for (const turn of ['first', 'second', 'third']) {
    const started = performance.now()
    await page.goto(server.url)
    await page.locator('#jobs tr[data-job]').first().waitFor()
    await page.locator('.lane .mark').first().waitFor({ state: 'attached' })
    console.log(`${turn} load, jobs and timeline shown: ${Math.round(performance.now() - started)} ms`)
    await page.goto('about:blank')
  }
  for (const path of [
    'api/jobs',
    'api/jobs?search=job-0999',
    'api/jobs?filter=failing',
    'api/jobs?filter=paused',
    'api/timeline?span=3600000',
    'api/job?name=job-00000',
  ]) {
    const started = performance.now()
    const { length } = await (await fetch(server.url + path)).text()
    console.log(`${path}: ${Math.round(performance.now() - started)} ms, ${Math.round(length / 1_024)} KiB`)
  }
} finally {
  await browser.close()
  await server.close()
  await scheduler.stop({ graceFor: 0 })
  rmSync(folder, { recursive: true, force: true })
}
