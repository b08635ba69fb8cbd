/* What clients send that is no request of the page: bodies, encodings, methods and tokens of every kind. */
import { createServer } from 'node:http'
import { connect } from 'node:net'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { memory } from '../../../providers/memory/memory.ts'
import { type DashboardOptions, dashboard } from '../../../src/dashboard/index.ts'
import { Scheduler } from '../../../src/scheduler/scheduler.ts'
import { listening, OWN, page, TOKEN } from './board.ts'

const AUTHORIZED = { ...OWN, authorization: `Bearer ${TOKEN}` }

describe('a body that is no action', () => {
  it.each([
    ['null', 400],
    ['[]', 400],
    ['[null]', 400],
    ['5', 400],
    ['true', 400],
    ['"pause"', 400],
    ['', 400],
    ['{', 400],
    ['{"action":"pause"}', 400],
    ['{"action":"pause","job":null}', 400],
    ['{"action":"pause","job":["report"]}', 400],
    ['{"action":{"toString":"pause"},"job":"report"}', 400],
    ['{"action":"constructor","job":"report"}', 400],
    ['{"__proto__":{"action":"pause","job":"report"}}', 400],
    ['{"action":"pause","job":"__proto__"}', 404],
    ['\u0000', 400],
    [`{"action":"pause","job":"${'x'.repeat(9_000)}"}`, 413],
    [`${' '.repeat(1_000_000)}{}`, 413],
  ])('%j is refused with what to send', async (body, status) => {
    const { ask, provider } = page()
    const response = await ask('/api/act', { method: 'POST', headers: AUTHORIZED, body })
    expect(response.status).toBe(status)
    expect(((await response.json()) as { error: string }).error).toBeTypeOf('string')
    expect(provider.locks.size).toBe(0)
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'multipart/form-data; boundary=x'])(
    'is refused as %s',
    async (type) => {
      const { ask } = page()
      const body = JSON.stringify({ action: 'pause', job: 'report' })
      const headers = { ...AUTHORIZED, 'content-type': type }
      expect((await ask('/api/act', { method: 'POST', headers, body })).status).toBe(415)
    },
  )
})

describe('behind a body parser', () => {
  const parsers = {
    json: express.json(),
    'raw, for everything': express.raw({ type: () => true }),
    'text, for everything': express.text({ type: () => true }),
    urlencoded: express.urlencoded({ extended: true }),
  }
  it.each(Object.keys(parsers) as (keyof typeof parsers)[])(
    '(%s) actions work, and bad bodies are refused',
    async (name) => {
      const { board } = page()
      const at = await listening(createServer(express().use(parsers[name]).use('/jobs', board.handler)))
      const act = async (body: string): Promise<[number, unknown]> => {
        const response = await fetch(`${at}/jobs/api/act`, { method: 'POST', headers: AUTHORIZED, body })
        return [response.status, await response.json()]
      }
      expect(await act('{"action":"pause","job":"report"}')).toEqual([200, { done: 'paused' }])
      expect(await act('{"action":"pause","job":5}')).toMatchObject([
        400,
        { error: expect.stringContaining('job must be') },
      ])
      expect((await act(`{"action":"pause","job":"${'x'.repeat(9_000)}"}`))[0]).toBe(413)
    },
  )

  it('that kept nothing, the error says what to send', async () => {
    const { board } = page()
    const swallow = express().use((request, _, next) => void request.resume().on('end', next))
    const at = await listening(createServer(swallow.use('/jobs', board.handler)))
    const response = await fetch(`${at}/jobs/api/act`, { method: 'POST', headers: AUTHORIZED, body: '{}' })
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: expect.stringContaining('not JSON') },
    ])
  })
})

describe('an address that can not be decoded', () => {
  it.each([
    ['/%E0%A4%A', 404],
    ['/%', 404],
    ['/..%2f..%2fpackage.json', 404],
    ['/%00', 404],
    ['/api/job?name=%E0%A4%A', 404],
    ['/api/job?name=%', 404],
    ['/api/job', 404],
    ['/api/jobs?search=%E0%A4%A', 200],
    ['/api/jobs?search=%&filter=%', 400],
    ['/api/jobs?page=-1', 400],
    ['/api/jobs?page=1e9', 400],
    ['/api/jobs?page=999999999', 200],
    ['/api/jobs?sort=constructor', 400],
    ['/api/jobs?order=up', 400],
    [`/api/jobs?search=${'x'.repeat(5_000)}`, 400],
    ['/api/timeline?span=NaN', 400],
    ['/api/timeline?span=1e400', 400],
  ])('%s is answered with %i', async (path, status) => {
    const { ask, board } = page()
    expect((await ask(path)).status).toBe(status)
    const at = await listening(createServer(board.handler))
    expect(await statusOf(at, `GET ${path} HTTP/1.1`)).toBe(status)
  })

  it.each(['GET // HTTP/1.1', 'OPTIONS * HTTP/1.1', 'GET http://[ HTTP/1.1', 'TRACE / HTTP/1.1', 'GET /\\ HTTP/1.1'])(
    '%s does not end the process',
    async (line) => {
      const at = await listening(createServer(page().board.handler))
      expect(await statusOf(at, line)).toBeGreaterThanOrEqual(200)
      expect((await fetch(`${at}/healthz`)).status).toBe(200)
    },
  )
})

/** The status that a request line gets, as it stands. */
function statusOf(at: string, line: string): Promise<number> {
  const { port, host } = new URL(at)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () =>
      socket.write(`${line}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    )
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1])))
  })
}

describe('a token that no browser can send', () => {
  it.each<[unknown, string]>([
    ['correct horse battery staple\n', 'it ends with a line break'],
    ['correct horse battery staple\r\n', 'it ends with a line break'],
    [' correct horse battery staple', 'it begins or ends with white space'],
    ['correct horse battery staple\u00a0', 'it begins or ends with white space'],
    ['correct horse\nbattery staple', 'characters that clients do not send'],
    ['correct horse\0battery staple', 'characters that clients do not send'],
    ['correct horse\tbattery staple', 'characters that clients do not send'],
    ['korrekte Pferde-Büroklammer', 'characters that clients do not send'],
    ['正しい馬のバッテリーのホッチキスの針', 'characters that clients do not send'],
    ['🐎🐎🐎🐎🐎🐎🐎🐎🐎', 'characters that clients do not send'],
    ['x'.repeat(1_025), 'more than 1024'],
    ['short', 'it has 5'],
    ['', 'it has 0'],
    [1234567890123456, 'it is of type number'],
    [null, 'it is of type object'],
    [['correct horse battery staple'], 'it is of type object'],
  ])('%j is refused, and not shown', (token, why) => {
    const make = () => dashboard({ schedulers: new Scheduler({ provider: memory() }), token } as DashboardOptions)
    expect(make).toThrow(/dashboard: token must be a string of at least 16 printable ASCII characters/)
    expect(make).toThrow(why)
    expect(make).not.toThrow(/horse|Pferde/)
  })

  it('is none with spaces and signs within', async () => {
    const token = 'a ~!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|} z'
    const { ask } = page({ token, protectReading: true })
    expect((await ask('/api/jobs', { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
  })
})
