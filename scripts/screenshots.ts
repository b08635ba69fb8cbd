// Makes docs/images/*.png: the page as a browser shows it, with three processes behind it, one of which is killed on the way. `npm run screenshots`
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { launchBrowser } from '../test/dashboard/browser.ts'
import { TOKEN, WatchedCluster } from '../test/dashboard/watched-cluster.ts'

const folder = fileURLToPath(new URL('../docs/images/', import.meta.url))
/** How long there is something to look at, in ms. */
const HISTORY = Number(process.env.SCREENSHOT_SECONDS ?? 150) * 1_000

mkdirSync(folder, { recursive: true })
process.env.AWKWARD_JOB = 'no'
await using cluster = new WatchedCluster()
await cluster.start('web-1:4711', TOKEN)
await Promise.all([cluster.start('web-2:4712'), cluster.start('web-3:4713')])
await sleep(HISTORY * 0.7)
await cluster.kill('web-3:4713')
await sleep(HISTORY * 0.3)

const browser = await launchBrowser()
try {
  for (const scheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({
      viewport: { width: 1240, height: 900 },
      colorScheme: scheme,
      timezoneId: 'Europe/Berlin',
      locale: 'en-GB',
    })
    const page = await context.newPage()
    await page.addInitScript(`sessionStorage.setItem('ticklock-token', ${JSON.stringify(TOKEN)})`)
    await open(page, '')
    await page.getByRole('button', { name: '5 min' }).click()
    await sleep(1_500)
    await page.screenshot({ path: join(folder, `dashboard-${scheme}.png`) })
    if (scheme === 'light') {
      await open(page, '#/job/check-stock')
      await page.screenshot({ path: join(folder, 'dashboard-job.png') })
    }
    await context.close()
  }
  const phone = await browser.newContext({
    viewport: { width: 390, height: 844 },
    colorScheme: 'light',
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
  })
  const page = await phone.newPage()
  await page.addInitScript(`sessionStorage.setItem('ticklock-token', ${JSON.stringify(TOKEN)})`)
  await open(page, '')
  await page.getByRole('button', { name: '5 min' }).click()
  await sleep(1_000)
  await page.screenshot({ path: join(folder, 'dashboard-phone.png') })
} finally {
  await browser.close()
}

async function open(page: Page, path: string): Promise<void> {
  await page.goto('about:blank')
  await page.goto(cluster.url + path)
  await page.locator('tr[data-job], section[data-job]').first().waitFor()
  await sleep(1_000)
}
