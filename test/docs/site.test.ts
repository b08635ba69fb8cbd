import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from '../dashboard/browser.ts'
import { root } from './code-blocks.ts'

// The documentation site as a reader gets it: built by `npm run docs`, served as files, and looked at in Chromium.
const dist = join(root, 'site', 'dist')
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}
let server: Server
let origin: string
let browser: Browser
let paths: string[]

beforeAll(async () => {
  execFileSync('npm', ['run', '--silent', 'docs'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  const files = readdirSync(dist, { recursive: true }).map(String)
  paths = files.filter((file) => file.endsWith('.html') && file !== '404.html').map((file) => `/${file}`)
  server = createServer(({ url = '/' }, response) => {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname)
    const file = join(dist, normalize(path.endsWith('/') ? `${path}index.html` : path))
    const isThere = existsSync(file) && statSync(file).isFile()
    response.writeHead(isThere ? 200 : 404, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
    response.end(isThere ? readFileSync(file) : undefined)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await launchBrowser()
}, 600_000)
afterAll(async () => {
  await browser?.close()
  server?.close()
})

/** What a page has: its links within the site, what a link can lead to, and how wide it is. */
interface Seen {
  readonly path: string
  readonly links: readonly string[]
  readonly ids: readonly string[]
  readonly overflow: number
}

async function see(page: Page, path: string): Promise<Seen> {
  await page.goto(origin + path)
  await page.waitForSelector('#app .Layout')
  // Read in the page, where the names of the browser are known.
  const seen = (await page.evaluate(`({
    links: [...document.querySelectorAll('a[href]')].map(({ href }) => href),
    ids: [...document.querySelectorAll('[id]')].map(({ id }) => id),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  })`)) as Omit<Seen, 'path'>
  return { path, ...seen }
}

describe('the documentation site', () => {
  it('has a page for each page of docs and each entry point, no dead link, and no page wider than a phone', async () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: object }
    const entries = Object.keys(exports).filter((name) => !name.endsWith('.json'))
    for (const name of entries) expect(paths).toContain(`/reference/${name.slice(2) || 'ticklock'}.html`)
    const docs = readdirSync(join(root, 'docs'), { recursive: true }).map(String)
    for (const file of docs.filter((each) => each.endsWith('.md')))
      expect(paths).toContain(`/${file.replace(/md$/, 'html')}`)

    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true })
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', ({ message }) => errors.push(`${page.url()}: ${message}`))
    const seen: Seen[] = []
    for (const path of paths) seen.push(await see(page, path))
    await context.close()

    const idsOf = new Map(seen.map(({ path, ids }) => [path, new Set(ids)]))
    const dead = seen.flatMap(({ path, links }) =>
      links.filter((link) => link.startsWith(origin) && !leads(link, idsOf)).map((link) => `${path} → ${link}`),
    )
    expect(dead).toEqual([])
    expect(seen.filter(({ overflow }) => overflow > 0).map(({ path, overflow }) => `${path}: ${overflow} px`)).toEqual(
      [],
    )
    expect(errors).toEqual([])
  }, 400_000)

  it('finds lockAtMostFor', async () => {
    const page = await browser.newPage()
    await page.goto(origin)
    await page.locator('#local-search button').click()
    await page.locator('.VPLocalSearchBox input').fill('lockAtMostFor')
    const first = page.locator('.VPLocalSearchBox .results .result').first()
    await first.waitFor()
    expect(await page.locator('.VPLocalSearchBox .results').innerText()).toMatch(/Jobs|Getting started|Concepts/)
    await first.click()
    await page.waitForURL(/\.html/)
    await page.close()
  })
})

function leads(link: string, idsOf: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const { pathname, hash } = new URL(link)
  const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname
  if (hash !== '') return idsOf.get(path)?.has(decodeURIComponent(hash.slice(1))) ?? false
  return idsOf.has(path) || existsSync(join(dist, path))
}
