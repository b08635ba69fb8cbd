/* What is particular to ticklock/http: responses that are lost, late, or not those of ticklock serve. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type HttpOptions, http } from '../../providers/http/index.ts'
import { memory } from '../../providers/memory/index.ts'
import { isRecordBusy, isStoreError, RecordBusyError } from '../../src/errors.ts'
import type { AcquireRequest, LockProvider } from '../../src/provider/contract.ts'
import { type LockServer, serve } from '../../src/serve/index.ts'
import { TOKEN } from './http-subject.ts'

type Listener = (request: IncomingMessage, response: ServerResponse) => void

async function listening(listener: Listener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Where nobody listens. `fetch` itself refuses the lowest ports. */
async function closedPort(): Promise<string> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}`
}

async function started(provider: LockProvider = memory()): Promise<LockServer> {
  const server = await serve({ provider, listen: 0, token: TOKEN })
  onTestFinished(() => server.close({ graceFor: 0 }))
  return server
}

function node(url: HttpOptions['url'], options: Partial<HttpOptions> = {}): LockProvider {
  const provider = http({ url, token: TOKEN, ...options })
  onTestFinished(() => provider.close())
  return provider
}

/** A proxy that hands each request on, and loses the responses that `isLost` names by the path and a count. */
async function losing(
  to: LockServer,
  isLost: (path: string, count: number) => boolean,
): Promise<{ readonly url: string; readonly seen: { readonly path: string; readonly body: string }[] }> {
  const seen: { path: string; body: string }[] = []
  const url = await listening((incoming, response) => {
    let body = ''
    incoming.on('data', (data) => {
      body += String(data)
    })
    incoming.once('end', () => {
      const path = incoming.url ?? ''
      seen.push({ path, body })
      const count = seen.length
      const { method = '', headers } = incoming
      const onward = request(new URL(path, to.url), { method, headers }, (answer) => {
        // The server has decided by now.
        if (isLost(path, count)) {
          answer.resume()
          response.destroy()
        } else {
          response.writeHead(answer.statusCode ?? 0, answer.headers)
          answer.pipe(response)
        }
      })
      onward.end(body)
    })
  })
  return { url, seen }
}

const acquisition = (name: string, owner = 'owner-1'): AcquireRequest => ({
  name,
  owner,
  label: 'test',
  lockAtMostFor: 60_000,
  maxClockSkew: 60_000,
})

describe('a lost response', () => {
  it('of acquire, extend and release is harmless: the call is repeated with the same owner', async () => {
    const inner = memory()
    const { url, seen } = await losing(await started(inner), (_, count) => count % 2 === 1)
    const provider = node(url)
    const tick = Date.now()
    const [granted] = await provider.acquire([{ ...acquisition('job'), tick }])
    expect(granted).toMatchObject({ granted: true, lease: { owner: 'owner-1' } })
    expect(inner.locks.get('job')).toMatchObject({ lockedBy: 'test#owner-1', lastTick: tick })
    const [lease] = await provider.extend([{ ...acquisition('job'), lockAtLeastFor: 0 }])
    expect(lease).toMatchObject({ owner: 'owner-1' })
    const [released] = await provider.release([{ ...acquisition('job'), lockAtLeastFor: 0, tick }])
    expect(released).toBe(true)
    expect(seen.map(({ path }) => path)).toEqual(
      ['acquire', 'acquire', 'extend', 'extend', 'release', 'release'].map((verb) => `/v1/${verb}`),
    )
    const requestsOf = ({ body }: { readonly body: string }): unknown => JSON.parse(body).requests
    for (const [first, second] of [seen.slice(0, 2), seen.slice(2, 4), seen.slice(4)] as [never, never][])
      expect(requestsOf(second)).toEqual(requestsOf(first))
  })

  it.each<[string, (provider: LockProvider) => Promise<unknown>]>([
    ['force-release', (provider) => provider.forceRelease('job')],
    ['set-paused', async (provider) => provider.setPaused?.({ name: 'job', paused: true })],
    ['reset', (provider) => provider.reset({ name: 'job', maxClockSkew: 0 })],
    ['prune', (provider) => provider.prune(0)],
  ])('of %s is an error: another may have acted since, so it is not repeated', async (verb, call) => {
    const { url, seen } = await losing(await started(), () => true)
    await expect(call(node(url))).rejects.toSatisfy(isStoreError)
    expect(seen.map(({ path }) => path)).toEqual([`/v1/${verb}`])
  })

  it('is not waited for without end: the attempts are counted', async () => {
    const { url, seen } = await losing(await started(), () => true)
    await expect(node(url).acquire([acquisition('job')])).rejects.toSatisfy(isStoreError)
    expect(seen).toHaveLength(3)
    await expect(node([url, url]).acquire([acquisition('job')])).rejects.toSatisfy(isStoreError)
    expect(seen).toHaveLength(7)
  })
})

describe('several servers', () => {
  it('are tried in turn, also by calls that are sent once, when nobody listens', async () => {
    const inner = memory()
    const server = await started(inner)
    const nobody = await closedPort()
    const provider = node([nobody, server.url])
    expect(await provider.acquire([acquisition('job')])).toMatchObject([{ granted: true }])
    expect(await node(`${nobody}, ${server.url}`).forceRelease('job')).toBe(true)
  })

  it('that hang leave time for the others', async () => {
    const silent = createTcpServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => void silent.close())
    const server = await started()
    const provider = node([`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, server.url])
    expect(await provider.acquire([acquisition('job')], { timeout: 2_000 })).toMatchObject([{ granted: true }])
    // From now on the one that responded is the first.
    const sent = vi.spyOn(globalThis, 'fetch')
    onTestFinished(() => sent.mockRestore())
    await provider.read()
    expect(sent.mock.calls.map(([url]) => String(url))).toEqual([`${server.url}v1/read`])
  })

  it('get a call that the store behind the first failed', async () => {
    const failing = await started({ ...memory(), acquire: () => Promise.reject(new Error('down')) })
    const provider = node([failing.url, (await started()).url])
    expect(await provider.acquire([acquisition('job')])).toMatchObject([{ granted: true }])
  })
})

describe('time', () => {
  it('bounds a call whose server never responds', async () => {
    const url = await listening(() => {})
    const provider = node(url)
    await expect(provider.acquire([acquisition('job')], { timeout: 50 })).rejects.toThrow('did not respond within')
    await expect(node(url, { timeout: '50ms' }).read()).rejects.toSatisfy(isStoreError)
  })

  it('is told to the server, which has a little less of it', async () => {
    const told: unknown[] = []
    const inner = memory()
    const server = await started({
      ...inner,
      acquire: (requests, options) => {
        told.push(options?.timeout)
        return inner.acquire(requests, options)
      },
    })
    await node(server.url).acquire([acquisition('job')], { timeout: 1_000 })
    expect(told[0]).toBeGreaterThan(500)
    expect(told[0]).toBeLessThanOrEqual(900)
  })

  it('ends when the provider is closed: what is pending fails, and what comes later', async () => {
    let onArrival = (): void => {}
    const waiting = new Promise<void>((resolve) => {
      onArrival = resolve
    })
    const provider = node(await listening(() => onArrival()))
    const pending = provider.acquire([acquisition('job')]).catch((error: unknown) => error)
    await waiting
    await provider.close()
    expect(await pending).toMatchObject({ code: 'STORE', message: expect.stringContaining('was closed') })
    await expect(provider.read()).rejects.toThrow('is closed')
  })
})

describe('a response that is none of ticklock serve is an error that says so', () => {
  const ours = { 'content-type': 'application/json', 'ticklock-api': '1' }
  const lease = { name: 'job', owner: 'owner-1', fencingToken: 1, acquiredAt: 1, lockUntil: 9e12, storeTime: 1 }
  const granting = (changed: object) =>
    JSON.stringify({ results: [{ granted: true, lease: { ...lease, ...changed } }] })

  it.each<[string, number, Record<string, string>, string, string]>([
    ['a page', 200, { 'content-type': 'text/html' }, '<html>Welcome to nginx!</html>', 'no response of ticklock serve'],
    ['a page of errors', 502, { 'content-type': 'text/html' }, '<html>Bad Gateway</html>', 'status 502 and text/html'],
    ['nothing', 200, {}, '', 'status 200 and no content type'],
    ['a redirect', 302, { location: 'https://login.example/' }, '', 'status 302 to another place'],
    [
      'JSON of others',
      404,
      { 'content-type': 'application/json' },
      '{"error":"not found"}',
      'no response of ticklock serve',
    ],
    [
      'a grant without the mark of the API',
      200,
      { 'content-type': 'application/json' },
      granting({}),
      'no response of',
    ],
    ['another version', 200, { ...ours, 'ticklock-api': '2' }, granting({}), 'speaks version 2'],
    ['half a body', 200, ours, granting({}).slice(0, -3), 'no response of ticklock serve'],
    ['the grant of another owner', 200, ours, granting({ owner: 'owner-2' }), 'the lease of this request'],
    ['the grant of another name', 200, ours, granting({ name: 'other' }), 'the lease of this request'],
    ['a token as text', 200, ours, granting({ fencingToken: '1' }), 'fencingToken'],
    ['a token that JavaScript can not hold', 200, ours, granting({ fencingToken: 2 ** 60 }), 'fencingToken'],
    ['an end that is missing', 200, ours, granting({ lockUntil: null }), 'lockUntil'],
    ['no results', 200, ours, '{}', 'something else than results'],
    ['too few results', 200, ours, '{"results":[]}', '1 results'],
    [
      'neither a grant nor a refusal',
      200,
      ours,
      '{"results":[{"granted":"yes","storeTime":1}]}',
      'a grant or a refusal',
    ],
    [
      'an unknown refusal',
      200,
      ours,
      '{"results":[{"granted":false,"reason":"mood","storeTime":1}]}',
      'a grant or a refusal',
    ],
  ])('%s', async (_, status, headers, body, message) => {
    const url = await listening((incoming, response) => {
      incoming.resume()
      incoming.once('end', () => response.writeHead(status, headers).end(body))
    })
    const error = await node(url)
      .acquire([acquisition('job')])
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'STORE', message: expect.stringContaining(message) })
  })

  it('a wrong token, with what to do, and without the token', async () => {
    const server = await started()
    const wrong = 'another horse battery staple'
    const error = await node(server.url, { token: wrong })
      .acquire([acquisition('job')])
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'STORE', message: expect.stringContaining('set TICKLOCK_SERVE_TOKEN') })
    expect(JSON.stringify([error, (error as Error).message, (error as Error).stack])).not.toContain(wrong)
  })

  it('a body without an end', async () => {
    const piece = Buffer.alloc(2 ** 20, 'x')
    const url = await listening((incoming, response) => {
      incoming.resume()
      response.writeHead(200, ours)
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
      }
      response.on('drain', more)
      more()
    })
    await expect(node(url, { timeout: '25s' }).read()).rejects.toThrow('more than 67108864 bytes')
  })
})

describe('the wire keeps', () => {
  it('that a tick is run again after a crash', async () => {
    let now = 1_700_000_000_000
    const provider = node((await started(memory({ now: () => now }))).url)
    const crashing = { ...acquisition('job'), tick: now, lockAtMostFor: 1_000, onCrash: 'rerun' } as const
    expect(await provider.acquire([crashing])).toMatchObject([{ granted: true, rerun: false }])
    now += 1_001
    expect(await provider.acquire([{ ...crashing, owner: 'owner-2' }])).toMatchObject([{ granted: true, rerun: true }])
  })

  it('the errors of single requests in their places, and which of them are busy', async () => {
    const inner = memory()
    const server = await started({
      ...inner,
      release: async (requests, options) => {
        const results = [...(await inner.release(requests, options))]
        return [results[0] as boolean, new RecordBusyError('b'), new Error('odd'), results[3] as boolean]
      },
    })
    const provider = node(server.url)
    const results = await provider.release(
      ['a', 'b', 'c', 'd'].map((name) => ({ name, owner: 'o', label: 'test', lockAtLeastFor: 0 })),
    )
    expect(
      results.map((result) => (isRecordBusy(result) ? 'busy' : result instanceof Error ? result.message : result)),
    ).toEqual([false, 'busy', 'odd', false])
  })

  it('an expiry of milliseconds: a lease that expired is neither extended nor released', async () => {
    let now = 1_700_000_000_000
    const provider = node((await started(memory({ now: () => now }))).url)
    const [granted] = await provider.acquire([{ ...acquisition('job'), lockAtMostFor: 5 }])
    expect(granted).toMatchObject({ lease: { lockUntil: now + 5, storeTime: now } })
    now += 5
    expect(await provider.extend([{ ...acquisition('job'), lockAtLeastFor: 0 }])).toEqual([undefined])
    expect(await provider.release([{ ...acquisition('job'), lockAtLeastFor: 0 }])).toEqual([false])
    expect(await provider.acquire([acquisition('job', 'owner-2')])).toMatchObject([{ granted: true }])
  })

  it('the order of a batch that needs several calls', async () => {
    const inner = memory()
    const sizes: number[] = []
    const server = await started({
      ...inner,
      acquire: (requests, options) => {
        sizes.push(requests.length)
        return inner.acquire(requests, options)
      },
    })
    const provider = node(server.url)
    const batch = Array.from({ length: 10_001 }, (_, place) => acquisition(`job-${place % 10_000}`, `owner-${place}`))
    const results = await provider.acquire(batch, { timeout: 25_000 })
    expect(sizes).toEqual([10_000, 1])
    expect(results.map((result) => !(result instanceof Error) && result.granted)).toEqual(
      batch.map((_, place) => place < 10_000),
    )
    const large = Array.from({ length: 400 }, (_, place) => ({
      ...acquisition(`large-${place}`),
      metadata: '日'.repeat(4_096),
    }))
    sizes.length = 0
    expect(await provider.acquire(large)).toHaveLength(400)
    expect(sizes).toEqual([expect.any(Number), 400 - (sizes[0] as number)])
    const names = [...batch, ...large].map(({ name }) => name)
    expect(await provider.read(names)).toHaveLength(10_400)
  })
})

describe('options', () => {
  it.each<[string, unknown, string]>([
    ['no URL', 42, 'takes a URL or options'],
    ['another scheme', 'ftp://locks', 'begin with http:// or https://'],
    ['no URL in a list', [], 'at least one URL'],
    ['a query', 'https://locks/?a=b', 'without ? and #'],
    ['an unknown option', { url: 'https://locks', tokens: 'x' }, 'unknown option "tokens"'],
    ['a token with a line break', { url: 'https://locks', token: 'secret-of-mine\n' }, 'token must be'],
    ['a timeout of no length', { url: 'https://locks', timeout: 0 }, 'timeout must be'],
    ['no fetch', { url: 'https://locks', fetch: 'node-fetch' }, 'fetch must be a function'],
    ['a user and a password', 'https://app:secret-of-mine@locks', 'give the option token'],
  ])('%s is an error that shows no secret', (_, given, message) => {
    let error: unknown
    try {
      http(given as string)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining(message) })
    expect((error as Error).message).not.toContain('secret-of-mine')
  })

  it('the token is that of the environment unless one is given; a path of the URL stays', async () => {
    const seen: unknown[] = []
    const url = await listening((incoming, response) => {
      seen.push([incoming.url, incoming.headers.authorization])
      response.writeHead(404).end()
    })
    vi.stubEnv('TICKLOCK_SERVE_TOKEN', 'from the environment')
    onTestFinished(() => void vi.unstubAllEnvs())
    const provider = http(`${url}/locks/`)
    onTestFinished(() => provider.close())
    await expect(provider.read()).rejects.toSatisfy(isStoreError)
    expect(seen).toEqual([['/locks/v1/read', 'Bearer from the environment']])
  })
})
