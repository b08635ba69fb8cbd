/* Names that an attacker points at this machine (DNS rebinding), and proxies that rewrite them. */
import { createServer, request as httpRequest } from 'node:http'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { memory } from '../../../providers/memory/memory.ts'
import { type DashboardOptions, serveDashboard } from '../../../src/dashboard/index.ts'
import { Scheduler } from '../../../src/scheduler/scheduler.ts'
import { listening, OWN, page, TOKEN } from './board.ts'

function send(url: string, headers: Record<string, string>, body?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const sent = httpRequest(url, { method, headers, agent: false }, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve({ status: response.statusCode ?? 0, text })
    })
    sent.on('error', reject).end(body)
  })
}

const PAUSE = JSON.stringify({ action: 'pause', job: 'report' })

describe('a dashboard that is mounted', () => {
  const mounted = async (options: Partial<DashboardOptions> = {}): Promise<string> => {
    const { board } = page(options)
    return `${await listening(createServer(express().use('/jobs', board.handler)))}/jobs/`
  }

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example:80',
    'local host',
    '[::1',
  ])('tells nothing under the name %s', async (host) => {
    const at = await mounted()
    for (const path of ['api', 'api/jobs', 'api/job?name=report', 'api/events', 'api/health', 'metrics'])
      expect((await send(at + path, { host })).status).not.toBe(200)
    expect((await send(`${at}api/jobs`, { host })).text).not.toContain('report')
  })

  it.each([
    'localhost',
    'LOCALHOST:1',
    'localhost.',
    '127.0.0.1',
    '10.1.2.3:8080',
    '[::1]:8080',
    'jobs.example.com',
    'JOBS.example.com.:8443',
  ])('answers as %s', async (host) => {
    const at = await mounted({ hosts: ['Jobs.Example.com'] })
    expect((await send(`${at}api/jobs`, { host })).status).toBe(200)
  })

  it('says which option lacks the name', async () => {
    const at = await mounted()
    const { status, text } = await send(`${at}api/jobs`, { host: 'app.example.com' })
    expect([status, text]).toEqual([421, expect.stringContaining('not known as \\"app.example.com\\"')])
    expect(text).toContain('hosts')
  })

  it('answers under any name whoever has the token, and the probes of an orchestrator', async () => {
    const at = await mounted()
    const authorization = `Bearer ${TOKEN}`
    expect((await send(`${at}api/jobs`, { host: 'app.example.com', authorization })).status).toBe(200)
    expect((await send(`${at}healthz`, { host: 'pod.example' })).status).toBe(200)
  })

  it('answers under any name with hosts: any', async () => {
    const at = await mounted({ hosts: 'any' })
    expect((await send(`${at}api/jobs`, { host: 'app.example.com' })).status).toBe(200)
  })

  it('of the fetch kind goes by the host of the URL where there is no header', async () => {
    const { board } = page()
    expect((await board.fetch(new Request('http://evil.example/api/jobs'))).status).toBe(421)
    expect((await board.fetch(new Request('http://localhost/api/jobs'))).status).toBe(200)
  })
})

describe('behind a proxy that rewrites Host', () => {
  const act = async (options: Partial<DashboardOptions>, headers: Record<string, string>) => {
    const { board } = page(options)
    const at = await listening(createServer(board.handler))
    return (
      await send(
        `${at}/api/act`,
        { ...OWN, authorization: `Bearer ${TOKEN}`, host: '10.0.0.5:8080', ...headers },
        PAUSE,
      )
    ).status
  }

  it('the page may act, by what its browser says', async () => {
    const origin = 'https://jobs.example.com'
    expect(await act({}, { origin, 'sec-fetch-site': 'same-origin' })).toBe(200)
    expect(await act({ hosts: ['jobs.example.com'] }, { origin })).toBe(200)
  })

  it('the pages of others may not', async () => {
    const hosts = ['jobs.example.com']
    expect(await act({ hosts }, { origin: 'https://evil.example' })).toBe(403)
    expect(await act({ hosts }, { origin: 'https://jobs.example.com', 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await act({ hosts: 'any' }, { origin: 'https://evil.example' })).toBe(403)
    expect(await act({ hosts }, { origin: 'null' })).toBe(403)
  })
})

it('a server of its own has the same names', async () => {
  const scheduler = new Scheduler({ provider: memory() })
  const server = await serveDashboard({ schedulers: scheduler, listen: 0, hosts: ['jobs.internal'] })
  onTestFinished(() => server.close())
  const statusAs = async (host: string) => (await send(`${server.url}api/jobs`, { host })).status
  expect(await statusAs('evil.example')).toBe(421)
  for (const host of ['localhost', '127.0.0.1:1', '[::1]', 'jobs.internal:80']) expect(await statusAs(host)).toBe(200)
})

it.each<[unknown, string]>([
  ['jobs.internal', "hosts must be an array of host names such as ['jobs.example.com'], or 'any'"],
  [['https://jobs.internal'], 'without scheme, port and path'],
  [['jobs.internal:8080'], 'without scheme, port and path'],
  [['jobs.internal/page'], 'without scheme, port and path'],
  [[''], 'without scheme, port and path'],
  [[5], 'without scheme, port and path'],
  [['a b'], 'without scheme, port and path'],
])('refuses hosts: %j', (hosts, message) => {
  expect(() => page({ hosts } as Partial<DashboardOptions>)).toThrow(message)
})
