/* A real browser looks at three processes, acts on them, and sees one of them die. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installPackages } from '../servers/debian.ts'
import { launchBrowser } from './browser.ts'
import { IMAGE, MARKUP, SCRIPT } from './jobs.ts'
import { TOKEN, WatchedCluster } from './watched-cluster.ts'

const run = promisify(execFile)

/** Waits for what comes by itself, on a machine that may be busy. */
const poll = <T>(look: () => T) => expect.poll(look, { timeout: 30_000 })

/** Reads metrics by the parser of Prometheus' own client for Python, and prints the values of a family by its labels. */
const PARSE = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
families = text_string_to_metric_families(sys.argv[1])
print(json.dumps([[s.name, s.labels, s.value] for family in families for s in family.samples]))`

const browser: Browser | { readonly unavailable: string } = await launchBrowser().catch((error: unknown) => ({
  unavailable: error instanceof Error ? error.message : String(error),
}))
if ('unavailable' in browser) console.error(`no browser: ${browser.unavailable}`)

describe.skipIf('unavailable' in browser)('the page, with three processes behind it', () => {
  if ('unavailable' in browser) return
  const cluster = new WatchedCluster()
  let page: Page
  const dialogs: string[] = []
  const errors: string[] = []

  beforeAll(async () => {
    await cluster.start('node-1', TOKEN)
    await Promise.all([cluster.start('node-2'), cluster.start('node-3')])
    page = await browser.newPage()
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message())
      void dialog.dismiss()
    })
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    await page.goto(cluster.url)
    page.setDefaultTimeout(30_000)
    await page.getByRole('button', { name: '5 min' }).click()
  })
  afterAll(async () => {
    await browser.close()
    await cluster[Symbol.asyncDispose]()
  })

  const row = (job: string) =>
    page.locator('#jobs tr').filter({ has: page.getByRole('link', { name: job, exact: true }) })
  const lane = (node: string) => page.locator(`.lane[data-node="${node}"]`)
  const bars = (job: string) =>
    page.locator(`.lane .mark[data-job="${job}"]:is([data-outcome="succeeded"], [data-outcome="running"])`)
  const notice = (of: Page) => of.locator('#notice')

  it('shows a lane for each node, and runs as they happen', async () => {
    for (const node of ['node-1', 'node-2', 'node-3'])
      await lane(node).and(page.locator('[data-state="alive"]')).waitFor()
    const before = await bars('sync-orders').count()
    await poll(() => bars('sync-orders').count()).toBeGreaterThan(before + 1)
    // Each tick ran on one node: no two bars of a job have one tick.
    const ticks = await bars('sync-orders').locator('title').allTextContents()
    const times = ticks.map((title) => /tick ([^·]+)/.exec(title)?.[1])
    expect(new Set(times).size).toBe(times.length)
    await page.locator('.lane .mark[data-outcome="skipped"]').first().waitFor()
  })

  it('tells of each job its schedule in words, a countdown, and the last outcomes', async () => {
    await poll(() => row('nightly-report').textContent()).toMatch(/at 02:00, Europe\/Berlin.*in \d+ (h|min|s)/)
    await row('check-stock').locator('.strip .failed').first().waitFor()
    const next = row('sync-orders').locator('time[data-next]')
    const shown = await next.textContent()
    await poll(() => next.textContent()).not.toBe(shown)
  })

  it('keeps a job named as a script a text', async () => {
    await row(SCRIPT).waitFor()
    await row(SCRIPT).getByRole('link').click()
    await page.getByRole('heading', { name: SCRIPT }).waitFor()
    // So are errors and descriptions.
    await page.locator('tr[data-outcome="failed"]').filter({ hasText: IMAGE }).first().waitFor()
    await page.locator('dd').filter({ hasText: MARKUP }).waitFor()
    expect(await page.evaluate(`document.scripts.length`)).toBe(2)
    expect(await page.locator('main img, main svg[onload]').count()).toBe(0)
    expect(dialogs).toEqual([])
    await page.getByRole('link', { name: 'all jobs' }).first().click()
  })

  it.each(['#/job/%E0%A4%A', '#/job/%', '#/job/', `#/job/${encodeURIComponent('<b>none</b>')}`])(
    'says at %s that there is no such job, and leads back',
    async (hash) => {
      await page.goto(`${cluster.url}${hash}`)
      await page.reload()
      await page.locator('#main').filter({ hasText: 'there is no job of that name' }).waitFor()
      expect(await page.locator('main b').count()).toBe(0)
      errors.splice(0, errors.length, ...errors.filter((text) => !/404/.test(text)))
      await page.getByRole('link', { name: 'All jobs' }).click()
      await row('sync-orders').waitFor()
      await page.getByRole('button', { name: '5 min' }).click()
    },
  )

  it('shows what fails first, since when, where and why, until it has succeeded', async () => {
    const first = page.locator('#jobs tbody tr').first()
    await poll(() => first.locator('.badge').allTextContents()).toContain('failing')
    await poll(() => row(SCRIPT).textContent()).toMatch(
      /failing (at least )?since .* ago\), last on node-\d: Error: <img/,
    )
    await page
      .locator('#state')
      .getByRole('button', { name: /[1-9]\d* failing/ })
      .click()
    await poll(() => page.locator('#filter').inputValue()).toBe('failing')
    await row(SCRIPT).waitFor()
    await poll(() => row('sync-orders').count()).toBe(0)
    expect(await page.title()).toMatch(/^\(\d+\) /)
    await page.locator('#filter').selectOption('all')
    // It fails each fourth tick, and says so until the next one has succeeded.
    await row('check-stock').locator('.badge', { hasText: 'failing' }).waitFor()
    await poll(() => row('check-stock').locator('.badge', { hasText: 'failing' }).count()).toBe(0)
  })

  it('sorts by a click on a head, and the other way around by another', async () => {
    const names = () => page.locator('#jobs tbody tr .name a').allTextContents()
    const head = page.locator('#jobs th').filter({ has: page.getByRole('button', { name: 'Job' }) })
    await head.getByRole('button').click()
    await poll(names).toEqual([
      SCRIPT,
      ...['check-stock', 'close-month', 'import-prices', 'long-report'],
      ...['nightly-report', 'send-mails', 'sync-orders'],
    ])
    expect(await head.getAttribute('aria-sort')).toBe('ascending')
    await head.getByRole('button').click()
    await poll(async () => (await names())[0]).toBe('sync-orders')
    expect(await head.getAttribute('aria-sort')).toBe('descending')
    await page.getByRole('button', { name: 'Status' }).click()
    await poll(names).not.toEqual([])
  })

  it('shows when a job succeeded last, how long it took, and when it ticks next', async () => {
    await poll(() => row('sync-orders').locator('td[data-label="Last success"]').textContent()).toMatch(/now|ago/)
    expect(await row('sync-orders').locator('td[data-label="Took"]').textContent()).toMatch(/\d (ms|s)/)
    const next = row('nightly-report').locator('td[data-label="Next tick"]')
    expect(await next.textContent()).toMatch(/in .*\d\d:\d\d/)
    expect(await next.locator('time').getAttribute('title')).toMatch(/\d{4}/)
  })

  it('marks the range that was chosen, and names the zone of its times', async () => {
    const pressed = page.locator('[data-span][aria-pressed="true"]')
    expect(await pressed.allTextContents()).toEqual(['5 min'])
    const color = (state: boolean) =>
      page.evaluate(`getComputedStyle(document.querySelector('[data-span][aria-pressed="${state}"]')).backgroundColor`)
    expect(await color(true)).not.toBe(await color(false))
    const zone = await page.evaluate('Intl.DateTimeFormat().resolvedOptions().timeZone')
    expect(await page.locator('.axis .zone').textContent()).toBe(`times in ${zone}`)
  })

  it('takes no token that it could not send', async () => {
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.locator('#ask-input').fill('korrekte Büroklammer ✓')
    await page.locator('#ask').getByRole('button', { name: 'Sign in' }).click()
    await page.locator('#ask-text').filter({ hasText: 'That is no token' }).waitFor()
    await page.locator('#ask').getByRole('button', { name: 'Cancel' }).click()
    expect(await page.locator('#access').textContent()).toBe('Sign in')
    await row('sync-orders').waitFor()
  })

  it('has a page for a job: durations drawn, what became of its ticks, and errors without secrets', async () => {
    await row('check-stock').getByRole('link').click()
    const failed = page.locator('tr[data-outcome="failed"]').first()
    await failed.waitFor()
    expect(await failed.textContent()).toContain('stock of 4711 is negative at postgres://…@db/stock')
    expect(await page.content()).not.toContain('s3cret')
    await page.locator('#chart canvas').waitFor()
    await page.goBack()
  })

  it('refuses to act without the token, and with a wrong one', async () => {
    await row('close-month').getByRole('button', { name: 'Trigger' }).click()
    await page.locator('#ask').getByRole('button', { name: 'Cancel' }).click()
    expect(await row('close-month').locator('.strip i').count()).toBe(0)
    await row('close-month').getByRole('button', { name: 'Trigger' }).click()
    await page.locator('#ask-input').fill('a wrong token of enough length')
    await page.locator('#ask-input').press('Enter')
    await notice(page).filter({ hasText: 'the token is missing or wrong' }).waitFor()
    expect(await row('close-month').locator('.strip i').count()).toBe(0)
    errors.length = 0
  })

  it('triggers with the token, which is in no address', async () => {
    await row('close-month').getByRole('button', { name: 'Trigger' }).click()
    await page.locator('#ask-input').fill(TOKEN)
    await page.locator('#ask').getByRole('button', { name: 'Sign in' }).click()
    await notice(page).filter({ hasText: 'close-month: ' }).waitFor()
    await row('close-month').locator('.strip .succeeded').waitFor()
    const urls = (await page.evaluate(
      `performance.getEntriesByType('resource').map((entry) => entry.name)`,
    )) as string[]
    expect(urls.join('\n')).not.toContain(encodeURIComponent(TOKEN))
    expect(page.url()).not.toContain('token')
  })

  it('pauses a job for all nodes, and resumes it', async () => {
    await row('sync-orders').getByRole('button', { name: 'Pause' }).click()
    await row('sync-orders').locator('.badge.paused').waitFor()
    const skips = page.locator('.lane .mark[data-job="sync-orders"][data-outcome="skipped"]')
    // All three skip, with the reason.
    for (const node of ['node-1', 'node-2', 'node-3'])
      await lane(node)
        .locator('.mark[data-job="sync-orders"] title')
        .filter({ hasText: 'paused' })
        .first()
        .waitFor({ state: 'attached' })
    expect(await skips.count()).toBeGreaterThan(2)
    await page.locator('#filter').selectOption('paused')
    await poll(() => page.locator('#jobs tbody tr').count()).toBe(1)
    await row('sync-orders').getByRole('button', { name: 'Resume' }).click()
    await page.locator('#filter').selectOption('all')
    const before = await bars('sync-orders').count()
    await poll(() => bars('sync-orders').count()).toBeGreaterThan(before)
  })

  it('unlocks, after it has asked', async () => {
    await row('long-report').getByRole('button', { name: 'Trigger' }).click()
    await row('long-report').getByRole('button', { name: 'Unlock' }).click()
    await page.locator('#ask').getByRole('button', { name: 'Unlock' }).click()
    await notice(page).filter({ hasText: 'long-report: unlocked' }).waitFor()
    await row('long-report').filter({ hasText: 'free' }).waitFor()
  })

  it('finds jobs by a key press and a few letters', async () => {
    await page.locator('body').press('/')
    await page.keyboard.type('nightly')
    await poll(() => page.locator('#jobs tbody tr').count()).toBe(1)
    await page.locator('#search').fill('')
    await poll(() => page.locator('#jobs tbody tr').count()).toBe(8)
  })

  it('fits a phone, in light and dark, without scrolling sideways', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width: 390, height: 800 })
      await page.locator(`:root[data-theme="${colorScheme}"]`).waitFor({ state: 'attached' })
      expect(await page.evaluate(`document.documentElement.scrollWidth <= innerWidth`)).toBe(true)
      const label = `getComputedStyle(document.querySelector('td[data-label="Next tick"]'), '::before').content`
      expect(await page.evaluate(label)).toBe('"Next tick"')
      expect(await page.locator('#sort').isVisible()).toBe(true)
    }
    await page.setViewportSize({ width: 1240, height: 900 })
  })

  it('gives metrics that another client reads', async ({ skip }) => {
    const python = '/usr/bin/python3'
    const canRead = async () =>
      existsSync(python)
        ? run(python, ['-c', 'import prometheus_client']).then(
            () => true,
            () => false,
          )
        : false
    if (!(await canRead()))
      await installPackages('python3-prometheus-client', 'python3-prometheus-client').catch(() => skip())
    const response = await fetch(`${cluster.url}metrics`)
    const { stdout } = await run(python, ['-c', PARSE, await response.text()])
    const samples = JSON.parse(stdout) as [name: string, labels: Record<string, string>, value: number][]
    const value = (name: string, labels: Record<string, string>) =>
      samples.find(
        ([each, has]) => each === name && Object.entries(labels).every(([label, text]) => has[label] === text),
      )?.[2]
    expect(value('ticklock_runs_total', { job: 'close-month', outcome: 'succeeded' })).toBeGreaterThanOrEqual(1)
    expect(value('ticklock_run_duration_seconds_count', { job: 'close-month' })).toBeGreaterThanOrEqual(1)
    expect(value('ticklock_skipped_total', { job: 'sync-orders', reason: 'paused' })).toBeGreaterThanOrEqual(1)
    expect(value('ticklock_store_up', { node: 'node-1' })).toBe(1)
  })

  it('ends the lane of a node that was killed', async () => {
    await cluster.kill('node-3')
    await lane('node-3').and(page.locator('[data-state="gone"]')).waitFor()
    expect(await lane('node-3').locator('line.end').count()).toBe(1)
    await page.locator('#nodes tr[data-node="node-3"][data-state="gone"]').waitFor()
    for (const node of ['node-1', 'node-2']) await lane(node).and(page.locator('[data-state="alive"]')).waitFor()
  })

  it('made no error, in the browser and by the rules that the server sets it', () => {
    expect(errors).toEqual([])
    expect(dialogs).toEqual([])
  })
})
