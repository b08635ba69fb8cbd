import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { memory } from '../../../providers/memory/memory.ts'
import { type DashboardOptions, dashboard, serveDashboard } from '../../../src/dashboard/index.ts'
import { prometheus } from '../../../src/prometheus/index.ts'
import { Scheduler } from '../../../src/scheduler/scheduler.ts'
import { entry, page, TOKEN } from './board.ts'

describe('every answer', () => {
  it.each(['/', '/page.css', '/main.js', '/api', '/api/jobs', '/healthz', '/nothing'])(
    'of %s forbids frames, guessed types, and scripts and styles of others',
    async (path) => {
      const { headers } = await page().ask(path)
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toContain('unsafe')
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      if (path.startsWith('/api')) expect(headers.get('cache-control')).toBe('no-store')
    },
  )

  it('of the page has no script or style within', async () => {
    const html = await (await page().ask('/')).text()
    expect(html).toContain('<main')
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style| style=| on[a-z]+=/)
  })
})

describe('who may act', () => {
  it('is who has the token, from the page itself', async () => {
    const { act, provider } = page()
    expect(await (await act({ action: 'pause', job: 'report' })).json()).toEqual({ done: 'paused' })
    expect(provider.locks.get('report')?.paused).toBe(true)
    expect(await (await act({ action: 'resume', job: 'report' })).json()).toEqual({ done: 'resumed' })
    expect(await (await act({ action: 'unlock', job: 'report' })).json()).toEqual({ done: 'nobody had the lock' })
    expect((await act({ action: 'trigger', job: 'report' })).status).toBe(202)
  })

  it.each<[string, Record<string, string>, number]>([
    ['without a token', {}, 401],
    ['with a wrong token', { authorization: 'Bearer correct horse battery stapler' }, 401],
    ['with the token in another scheme', { authorization: `Basic ${TOKEN}` }, 401],
    ['from another site', { authorization: `Bearer ${TOKEN}`, origin: 'https://evil.example' }, 403],
    ['from another port of this host', { authorization: `Bearer ${TOKEN}`, 'sec-fetch-site': 'same-site' }, 403],
    ['by a form', { authorization: `Bearer ${TOKEN}`, 'content-type': 'text/plain' }, 415],
  ])('is nobody %s', async (_, headers, status) => {
    const { act, provider } = page()
    expect((await act({ action: 'pause', job: 'report' }, headers)).status).toBe(status)
    expect(provider.locks.size).toBe(0)
  })

  it("is nobody without the page's own header, by GET, or when no token is set up", async () => {
    const { ask, provider } = page()
    const body = JSON.stringify({ action: 'pause', job: 'report' })
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    expect((await ask('/api/act', { method: 'POST', headers, body })).status).toBe(403)
    expect((await ask('/api/act?action=pause&job=report', { headers })).status).toBe(404)
    const open = page({ token: undefined })
    expect((await open.act({ action: 'pause', job: 'report' })).status).toBe(403)
    expect(await (await open.ask('/api')).json()).toMatchObject({ canAct: false })
    expect([provider.locks.size, open.provider.locks.size]).toEqual([0, 0])
  })

  it('is told what can not be done', async () => {
    const { act } = page()
    expect((await act({ action: 'pause', job: 'other' })).status).toBe(404)
    expect((await act({ action: 'drop', job: 'report' })).status).toBe(400)
    expect((await act({ action: 'pause', job: 'x'.repeat(9_000) })).status).toBe(413)
  })
})

describe('who may look', () => {
  it('is anybody, but not the pages of other sites', async () => {
    const { ask } = page()
    expect((await ask('/api/jobs')).status).toBe(200)
    expect((await ask('/api/jobs', { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403)
    expect((await ask('/api/jobs', { headers: { origin: 'https://evil.example' } })).status).toBe(403)
  })

  it('needs the token where reading is protected, but for the page and the probes', async () => {
    const { ask } = page({ protectReading: true })
    for (const path of ['/api', '/api/jobs', '/api/timeline', '/api/events', '/metrics'])
      expect((await ask(path)).status).toBe(401)
    const headers = { authorization: `Bearer ${TOKEN}` }
    expect((await ask('/api/jobs', { headers })).status).toBe(200)
    for (const path of ['/', '/main.js', '/healthz']) expect((await ask(path)).status).toBe(200)
  })
})

describe('what is told', () => {
  it('of a job: its schedule in words, its next tick, its lock, its last outcomes', async () => {
    const { ask, provider } = page()
    await provider.history?.write([entry({ at: 1 }), entry({ at: 2, outcome: 'failed', error: 'Error: boom' })])
    await provider.setPaused?.({ name: 'report', paused: true })
    const { jobs, total } = (await (await ask('/api/jobs')).json()) as {
      total: number
      jobs: Record<string, unknown>[]
    }
    expect(total).toBe(1)
    expect(jobs[0]).toMatchObject({
      name: 'report',
      schedule: 'at 02:00, Europe/Berlin',
      metadata: 'team a',
      paused: true,
      next: expect.any(Number),
      strip: [{ outcome: 'succeeded' }, { outcome: 'failed', error: 'Error: boom' }],
    })
    const job = (await (await ask('/api/job?name=report')).json()) as { entries: unknown[]; ticks: unknown[] }
    expect([job.entries.length, job.ticks.length]).toEqual([2, 5])
    expect((await ask('/api/job?name=other')).status).toBe(404)
  })

  it('is one page of many jobs, those that are searched for, running, paused or failing', async () => {
    const { ask, provider, scheduler } = page()
    for (let index = 0; index < 120; index++) scheduler.job({ name: `job-${index}`, every: '1h' }, () => {})
    await provider.setPaused?.({ name: 'job-7', paused: true })
    await provider.history?.write([entry({ job: 'job-9', outcome: 'failed' })])
    const names = async (query: string) => {
      const found = (await (await ask(`/api/jobs?${query}`)).json()) as { total: number; jobs: { name: string }[] }
      return [found.total, found.jobs.length, found.jobs[0]?.name]
    }
    expect(await names('page=1')).toEqual([121, 50, 'job-9'])
    expect(await names('sort=name')).toEqual([121, 50, 'job-0'])
    expect(await names('page=3')).toEqual([121, 21, expect.any(String)])
    expect(await names('search=JOB-11')).toEqual([11, 11, 'job-11'])
    expect(await names('filter=paused')).toEqual([1, 1, 'job-7'])
    expect(await names('filter=failing')).toEqual([1, 1, 'job-9'])
    expect(await names('filter=running')).toEqual([0, 0, undefined])
    expect((await ask('/api/jobs?filter=other')).status).toBe(400)
  })

  it('of the time: what happened in it, and what still runs from before', async () => {
    const { ask, provider } = page()
    const old = Date.now() - 7_200_000
    await provider.history?.write([
      entry({ id: 'now' }),
      entry({ id: 'old', at: old }),
      entry({ id: 'long', at: old, outcome: 'running' }),
    ])
    const { entries } = (await (await ask('/api/timeline?span=3600000')).json()) as { entries: { id: string }[] }
    expect(entries.map(({ id }) => id)).toEqual(['now', 'long'])
    expect((await ask('/api/timeline?span=-1')).status).toBe(400)
  })

  it('when the store fails is that alone, and not what the store said', async () => {
    const { ask, provider } = page()
    provider.read = () => Promise.reject(new Error('connect to postgres://app:s3cret@db failed'))
    const response = await ask('/api/jobs')
    expect([response.status, await response.json()]).toEqual([502, { error: 'the store did not answer' }])
  })

  it('live, by events of the server, is what was written since: each change once', async () => {
    const { ask, provider } = page({ refreshEvery: '200ms' })
    const response = await ask('/api/events')
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const until = async (found: () => boolean) => {
      while (!found()) text += (await reader?.read())?.value ?? ''
    }
    await until(() => text.includes('event: update'))
    await provider.history?.write([entry({ id: 'run-1', outcome: 'running' })])
    await until(() => text.includes('run-1'))
    await provider.history?.write([entry({ id: 'run-1' })])
    await until(() => text.includes('"outcome":"succeeded"'))
    await provider.history?.write([entry({ id: 'run-2' })])
    await until(() => text.includes('run-2'))
    expect(text.split('run-1')).toHaveLength(3)
    await reader?.cancel()
  })
})

describe('what watches the process', () => {
  it('gets its health with the reasons, and metrics where there are some', async () => {
    const metrics = prometheus()
    const { ask, scheduler } = page({ metrics })
    onTestFinished(metrics.watch(scheduler))
    expect([(await ask('/healthz')).status, (await ask('/readyz')).status]).toEqual([200, 503])
    await scheduler.start()
    expect(await (await ask('/readyz')).json()).toEqual({ ok: true, reasons: [] })
    const response = await ask('/metrics')
    expect(response.headers.get('content-type')).toContain('text/plain')
    expect(await response.text()).toContain('ticklock_store_up{node="node1"} 1')
    expect((await page().ask('/metrics')).status).toBe(501)
  })
})

describe('mounted', () => {
  it('in Express the page has its path with a slash at the end, and finds what it asks for', async () => {
    const { board } = page()
    const app = express().use('/admin/jobs', board.handler)
    const server = app.listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const response = await fetch(`${at}/admin/jobs`)
    expect([response.url, response.status]).toEqual([`${at}/admin/jobs/`, 200])
    expect(((await (await fetch(`${at}/admin/jobs/api/jobs`)).json()) as { total: number }).total).toBe(1)
  })

  it('in a server of the fetch kind under a path', async () => {
    const { ask } = page({ basePath: '/admin/jobs' })
    const response = await ask('/admin/jobs')
    expect([response.status, response.headers.get('location')]).toEqual([308, 'jobs/'])
    expect((await ask('/admin/jobs/')).status).toBe(200)
    expect((await ask('/admin/jobs/api/jobs')).status).toBe(200)
    expect((await ask('/api/jobs')).status).toBe(404)
  })

  it("in Node's own server", async () => {
    const { board } = page()
    const server = createServer(board.handler).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    expect(response.status).toBe(200)
  })
})

describe('a server of its own', () => {
  const scheduler = new Scheduler({ provider: memory() })

  it.each(['0.0.0.0:0', '[::]:0', '192.0.2.1:0'])('refuses to listen on %s without a token', async (listen) => {
    await expect(serveDashboard({ schedulers: scheduler, listen })).rejects.toThrow('needs a token')
  })

  it.each(['8080 ', 'evil:80', '127.0.0.1', '127.0.0.1:99999', '1.2.3.4.5:80'])(
    'does not take %j for an address',
    async (listen) => {
      await expect(serveDashboard({ schedulers: scheduler, listen })).rejects.toThrow('listen must look like')
    },
  )

  it('beyond this machine needs the token to look, too', async () => {
    const server = await serveDashboard({ schedulers: scheduler, listen: '0.0.0.0:0', token: TOKEN })
    onTestFinished(() => server.close())
    const at = server.url.replace('0.0.0.0', '127.0.0.1')
    expect((await fetch(`${at}api/jobs`)).status).toBe(401)
  })
})

it.each<[Partial<DashboardOptions>, string]>([
  [{ token: 'short' }, 'dashboard: token must be a string of at least 16 printable ASCII characters'],
  [{ token: undefined, protectReading: true }, 'protectReading needs a token'],
  [{ basePath: 'jobs/' }, "basePath must look like '/jobs'"],
  [{ metrics: {} as never }, 'metrics.register must have the methods metrics'],
])('refuses %j', (options, message) => {
  const scheduler = new Scheduler({ provider: memory() })
  expect(() => dashboard({ schedulers: scheduler, token: TOKEN, ...options })).toThrow(message)
})
