import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { memory } from '../../../providers/memory/index.ts'
import { RecordBusyError, StoreError } from '../../../src/errors.ts'
import type { AcquireRequest, CallOptions } from '../../../src/provider/contract.ts'
import { holderOf } from '../../../src/provider/holder.ts'
import { MOST_BYTES } from '../../../src/provider/wire.ts'
import { acquisition, changed, HEADERS, post, started, TOKEN } from './servers.ts'

/** A promise and what settles it. */
function deferred<Value = void>(): { readonly promise: Promise<Value>; readonly resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => {}
  const promise = new Promise<Value>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

describe('a batch', () => {
  it('is decided request by request, in order', async () => {
    const provider = memory()
    const server = await started({ provider })
    const { status, body, headers } = await post(server, 'acquire', {
      requests: [acquisition('a'), acquisition('b', 'owner-2'), acquisition('a', 'owner-3')],
    })
    expect(status).toBe(200)
    expect(headers.get('ticklock-api')).toBe('1')
    expect(body.results.map(({ granted }: { granted: boolean }) => granted)).toEqual([true, true, false])
    expect(body.results[2]).toMatchObject({ reason: 'held', record: { lockedBy: 'http#owner-1' } })
    expect(provider.locks.get('b')?.lockedBy).toBe(holderOf({ label: 'http', owner: 'owner-2' }))
    const extended = await post(server, 'extend', {
      requests: [acquisition('a'), acquisition('a', 'owner-3')],
    })
    expect(extended.body.results).toMatchObject([{ extended: true, lease: { name: 'a' } }, { extended: false }])
    const released = await post(server, 'release', {
      requests: [
        { name: 'a', owner: 'owner-1' },
        { name: 'a', owner: 'owner-3' },
      ],
    })
    expect(released.body.results).toEqual([{ released: true }, { released: false }])
  })

  it('keeps times to the millisecond and its fractions', async () => {
    const server = await started({ provider: memory({ now: () => 1_700_000_000_123.25 }) })
    const { body } = await post(server, 'acquire', { requests: [{ ...acquisition('a'), lockAtMostFor: 7 }] })
    expect(body.results[0].lease).toMatchObject({
      acquiredAt: 1_700_000_000_123.25,
      lockUntil: 1_700_000_000_130.25,
      storeTime: 1_700_000_000_123.25,
    })
  })

  it('has the error of a request in its place, and the code of one that is busy', async () => {
    const inner = memory()
    const provider = changed({
      acquire: async (requests, options) => {
        const results = [...(await inner.acquire(requests, options))]
        results[1] = new StoreError('this record is odd')
        results[2] = new RecordBusyError('c')
        return results
      },
    })
    const { status, body } = await post(await started({ provider }), 'acquire', {
      requests: ['a', 'b', 'c', 'd'].map((name) => acquisition(name)),
    })
    expect(status).toBe(200)
    expect(body.results).toMatchObject([
      { granted: true },
      { error: { code: 'STORE', message: 'this record is odd' } },
      { error: { code: 'RECORD_BUSY' } },
      { granted: true },
    ])
  })

  it.each<[string, unknown]>([
    ['no object', 'job'],
    ['without a name', { owner: 'o', lockAtMostFor: 1 }],
    ['with an owner that the record could not tell from a released one', acquisition('b', 'o#released')],
    ['with an owner that is too long', acquisition('b', 'o'.repeat(46))],
    ['with a lease of no length', { ...acquisition('b'), lockAtMostFor: 0 }],
    ['with a lease of half a millisecond', { ...acquisition('b'), lockAtMostFor: 0.5 }],
    ['with a lease as text', { ...acquisition('b'), lockAtMostFor: '10s' }],
    ['with a lease beyond 100 years', { ...acquisition('b'), lockAtMostFor: 1e300 }],
    ['with an unknown field', { ...acquisition('b'), lockAtLeastFor: 5 }],
    ['with a tick beyond all time', { ...acquisition('b'), tick: 1e17 }],
  ])('with a request %s fails that one alone', async (_, bad) => {
    const provider = memory()
    const { status, body } = await post(await started({ provider }), 'acquire', {
      requests: [acquisition('a'), bad, acquisition('c')],
    })
    expect(status).toBe(200)
    expect(body.results).toMatchObject([{ granted: true }, { error: { code: 'INVALID_REQUEST' } }, { granted: true }])
    expect([...provider.locks.keys()]).toEqual(['a', 'c'])
  })
})

describe('a call is refused, and nothing decided,', () => {
  const requests = [acquisition('job')]
  it.each<[string, number, string, unknown, RequestInit?]>([
    ['that is not JSON', 400, 'INVALID_REQUEST', '{"requests":'],
    ['that is no object', 400, 'INVALID_REQUEST', '[]'],
    ['without requests', 400, 'INVALID_REQUEST', { requests: [] }],
    ['with an unknown field', 400, 'INVALID_REQUEST', { requests, timeOut: 5 }],
    ['with an odd timeout', 400, 'INVALID_REQUEST', { requests, timeout: '5s' }],
    ['with too many requests', 400, 'INVALID_REQUEST', { requests: Array(10_001).fill(requests[0]) }],
    ['with a body too large', 413, 'TOO_LARGE', { requests, filler: 'x'.repeat(MOST_BYTES) }],
    [
      'of a content type that a form can send',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      { requests },
      { headers: { ...HEADERS, 'content-type': 'text/plain' } },
    ],
  ])('%s', async (_, status, code, body, init) => {
    const provider = memory()
    const sent = await post(await started({ provider }), 'acquire', body, init)
    expect([sent.status, sent.body.error.code]).toEqual([status, code])
    expect(provider.locks.size).toBe(0)
  })

  it('whose body without a length grows too large', async () => {
    const { url } = await started()
    const piece = Buffer.alloc(2 ** 16, ' ')
    const body = new ReadableStream({ pull: (stream) => stream.enqueue(piece) })
    const response = await fetch(`${url}v1/acquire`, {
      method: 'POST',
      headers: HEADERS,
      body,
      duplex: 'half',
    } as RequestInit).catch((error: unknown) => error)
    // The server may close before the client has read the status.
    if (response instanceof Response) expect(response.status).toBe(413)
    else expect(response).toBeInstanceOf(Error)
    expect((await fetch(`${url}healthz`)).status).toBe(200)
  })

  it('of a verb that there is not, with a hint', async () => {
    const server = await started()
    const { status, body } = await post(server, 'obtain', { requests })
    expect([status, body.error.code]).toEqual([404, 'NOT_FOUND'])
    expect(body.error.message).toContain('POST /v1/<verb>')
  })

  it('that the store behind the server can not do', async () => {
    const server = await started({ provider: changed({ setPaused: undefined as never, history: undefined }) })
    expect((await post(server, 'set-paused', { name: 'a', paused: true })).body.error.code).toBe('NOT_SUPPORTED')
    expect((await post(server, 'history/nodes', {})).status).toBe(501)
  })
})

describe('a store', () => {
  it('that fails is in the log, and its message in no response', async () => {
    const logged: unknown[] = []
    const logger = { debug() {}, info() {}, warn: (...line: unknown[]) => logged.push(line), error() {} }
    const failing = async () => Promise.reject(new Error('password authentication failed for user "app" at 10.0.0.7'))
    const server = await started({ provider: changed({ acquire: failing, read: failing }), logger })
    const { status, body } = await post(server, 'acquire', { requests: [acquisition('job')] })
    expect([status, body.error.code]).toEqual([502, 'STORE'])
    expect(JSON.stringify(body)).not.toMatch(/app|10\.0/)
    await post(server, 'acquire', { requests: [acquisition('job')] })
    expect(logged).toHaveLength(1)
    expect(logged).toMatchObject([[{ err: { message: expect.stringContaining('10.0.0.7') } }, 'a call failed']])
    expect((await fetch(`${server.url}readyz`)).status).toBe(503)
    expect((await fetch(`${server.url}healthz`)).status).toBe(200)
  })

  it('that fails with no Error is a failure all the same', async () => {
    const server = await started({ provider: changed({ release: () => Promise.reject('no') }) })
    const { status } = await post(server, 'release', { requests: [{ name: 'a', owner: 'o' }] })
    expect(status).toBe(502)
  })

  it("that hangs is given up after the caller's timeout, which it is told, within bounds", async () => {
    const told: (CallOptions | undefined)[] = []
    const inner = memory()
    const provider = changed({
      acquire: (requests: readonly AcquireRequest[], options) => {
        told.push(options)
        return requests[0]?.name === 'hangs' ? new Promise(() => {}) : inner.acquire(requests, options)
      },
    })
    const server = await started({ provider })
    const { status, body } = await post(server, 'acquire', { requests: [acquisition('hangs')], timeout: 20 })
    expect([status, body.error.code]).toEqual([504, 'TIMEOUT'])
    await post(server, 'acquire', { requests: [acquisition('job')], timeout: 1e9 })
    await post(server, 'acquire', { requests: [acquisition('job')] })
    expect(told).toEqual([{ timeout: 20 }, { timeout: 30_000 }, { timeout: 10_000 }])
  })

  it('that is slow keeps no more calls waiting than it may: one more is refused and may be repeated', async () => {
    const [begun, end] = [deferred(), deferred()]
    const inner = memory()
    const provider = changed({
      acquire: async (requests, options) => {
        begun.resolve()
        await end.promise
        return inner.acquire(requests, options)
      },
    })
    const server = await started({ provider, mostCalls: 1 })
    const first = post(server, 'acquire', { requests: [acquisition('job')] })
    await begun.promise
    const second = await post(server, 'acquire', { requests: [acquisition('job', 'owner-2')] })
    expect([second.status, second.body.error.code, second.headers.get('retry-after')]).toEqual([503, 'BUSY', '1'])
    end.resolve()
    expect((await first).body.results[0].granted).toBe(true)
  })
})

describe('a client', () => {
  async function connected(url: string): Promise<Socket> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }

  const body = JSON.stringify({ requests: [acquisition('job')] })
  const head = `POST /v1/acquire HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`

  it('that goes away in the middle of its request is granted nothing, and leaves no call under way', async () => {
    const provider = memory()
    const counts: number[] = []
    const underWay = deferred()
    const over = deferred()
    const metrics = {
      register: { metrics: async () => '', contentType: 'text/plain' },
      call() {},
      acquired() {},
      underWay(count: number) {
        counts.push(count)
        if (count === 1) underWay.resolve()
        else over.resolve()
      },
    }
    const server = await started({ provider, metrics })
    const socket = await connected(server.url)
    socket.write(head + body.slice(0, -1))
    await underWay.promise
    socket.destroy()
    await over.promise
    expect(counts).toEqual([1, 0])
    expect(provider.locks.size).toBe(0)
  })

  it('that goes away before the response disturbs nobody, and gets the same grant when it comes back', async () => {
    const [begun, end] = [deferred(), deferred()]
    const inner = memory()
    const provider = changed({
      acquire: async (requests, options) => {
        begun.resolve()
        await end.promise
        return inner.acquire(requests, options)
      },
    })
    const server = await started({ provider })
    const socket = await connected(server.url)
    socket.write(head + body)
    await begun.promise
    socket.destroy()
    end.resolve()
    const { body: again } = await post(server, 'acquire', { requests: [acquisition('job')] })
    expect(again.results[0]).toMatchObject({ granted: true, lease: { owner: 'owner-1' } })
  })

  it('that is slow keeps others from nothing, and is ended', { timeout: 60_000 }, async () => {
    const server = await started({ mostConnections: 5 })
    const slow = await Promise.all(Array.from({ length: 4 }, () => connected(server.url)))
    for (const socket of slow) socket.write(head)
    for (const socket of slow) socket.resume()
    const ends = slow.map((socket) => once(socket, 'close'))
    expect((await post(server, 'acquire', { requests: [acquisition('job')] })).status).toBe(200)
    await Promise.all(ends)
  })
})

describe('closing', () => {
  it('waits for the calls under way, and takes no others', async () => {
    const [begun, end] = [deferred(), deferred()]
    const inner = memory()
    const provider = changed({
      acquire: async (requests, options) => {
        begun.resolve()
        await end.promise
        return inner.acquire(requests, options)
      },
    })
    const server = await started({ provider })
    const call = post(server, 'acquire', { requests: [acquisition('job')] })
    await begun.promise
    const closed = server.close()
    await expect(fetch(`${server.url}healthz`)).rejects.toThrow()
    end.resolve()
    const { status, body, headers } = await call
    expect([status, body.results[0].granted, headers.get('connection')]).toEqual([200, true, 'close'])
    await closed
    await server.close()
  })

  it('ends the calls that take longer than its grace', async () => {
    const begun = deferred()
    const provider = changed({
      acquire: () => {
        begun.resolve()
        return new Promise(() => {})
      },
    })
    const server = await started({ provider })
    const call = post(server, 'acquire', { requests: [acquisition('job')] }).catch((error: unknown) => error)
    await begun.promise
    await server.close({ graceFor: 10 })
    expect(await call).toBeInstanceOf(Error)
  })
})
