import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { memory } from '../../../providers/memory/index.ts'
import { serverMetrics } from '../../../src/prometheus/index.ts'
import { lockApi, serve } from '../../../src/serve/index.ts'
import { VERBS } from '../../../src/serve/verbs.ts'
import { acquisition, HEADERS, post, started, TOKEN } from './servers.ts'

describe('the token', () => {
  const json = { 'content-type': 'application/json' }
  const wrong: readonly (readonly [string, Record<string, string>])[] = [
    ['missing', json],
    ['another', { ...json, authorization: 'Bearer correct horse battery stapler' }],
    ['a part of it', { ...json, authorization: 'Bearer correct horse battery' }],
    ['empty', { ...json, authorization: 'Bearer ' }],
    ['of another scheme', { ...json, authorization: `Basic ${TOKEN}` }],
    ['without a scheme', { ...json, authorization: TOKEN }],
  ]

  it.each(wrong)('that is %s lets nobody do anything', async (_, headers) => {
    const provider = memory()
    const server = await started({ provider })
    for (const { path } of VERBS) {
      const { status, body } = await post(server, path, { requests: [acquisition('job')] }, { headers })
      expect([path, status, body.error.code]).toEqual([path, 401, 'UNAUTHORIZED'])
    }
    expect(provider.locks.size).toBe(0)
  })

  it('is needed for metrics, and not for probes', async () => {
    const server = await started({ metrics: serverMetrics() })
    expect((await fetch(`${server.url}metrics`)).status).toBe(401)
    expect((await fetch(`${server.url}healthz`)).status).toBe(200)
    expect((await fetch(`${server.url}readyz`)).status).toBe(200)
    const granted = await post(server, 'acquire', { requests: [acquisition('a'), acquisition('a', 'owner-2')] })
    expect(granted.status).toBe(200)
    const text = await (await fetch(`${server.url}metrics`, { headers: HEADERS })).text()
    expect(text).toContain('ticklock_server_acquire_results_total{result="granted"} 1')
    expect(text).toContain('ticklock_server_acquire_results_total{result="held"} 1')
    expect(text).toContain('ticklock_server_call_seconds_count{verb="acquire",status="200"} 1')
    expect(text).toContain('ticklock_server_calls_under_way 0')
  })

  it.each<[unknown, string]>([
    ['too short', 'it has 9'],
    ['x'.repeat(1_025), 'more than 1024'],
    ['correct horse battery staple\n', 'ends with a line break'],
    [' correct horse battery staple', 'begins or ends with white space'],
    ['korrekte Pferde-Büroklammer', 'clients do not send'],
    [42, 'type number'],
  ])('%j is refused at the start, and not shown', async (token, why) => {
    const error = await serve({ provider: memory(), listen: 0, token: token as string }).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining(why) })
    if (typeof token === 'string') expect(error.message).not.toContain(token.trim())
  })

  it.each(['0.0.0.0:0', '[::]:0'])('is required to listen on %s', async (listen) => {
    await expect(serve({ provider: memory(), listen })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('needs a token'),
    })
  })
})

describe('without a token', () => {
  it('programs on this machine may call', async () => {
    const server = await started({ token: undefined })
    const { body } = await post(server, 'acquire', { requests: [acquisition('job')] })
    expect(body.results[0].granted).toBe(true)
  })

  it.each([
    ['a page of another site', { origin: 'https://evil.example' }],
    ['any page', { 'sec-fetch-site': 'same-origin' }],
    ['a name that leads to this server (DNS rebinding)', { host: 'evil.example' }],
  ])('%s may not', async (_, extra) => {
    const provider = memory()
    const { url } = await started({ provider, token: undefined })
    const status = await new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', ...extra }
      const sent = request(`${url}v1/acquire`, { method: 'POST', headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      sent.once('error', reject)
      sent.end(JSON.stringify({ requests: [acquisition('job')] }))
    })
    expect(status).toBe(403)
    expect(provider.locks.size).toBe(0)
  })
})

it('an app of your own mounts the API', async () => {
  const api = lockApi({ provider: memory(), token: TOKEN })
  const body = JSON.stringify({ requests: [acquisition('job')] })
  const response = await api.fetch(
    new Request('http://app.example/v1/acquire', { method: 'POST', headers: HEADERS, body }),
  )
  expect(await response.json()).toMatchObject({ results: [{ granted: true }] })
})
