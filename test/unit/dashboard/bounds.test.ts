/* Clients that cost too much: too many, too slow, gone, or all at once. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { STREAM_LIMITS } from '../../../src/dashboard/events.ts'
import { boundedServer, CONNECTION_LIMITS } from '../../../src/web/connections.ts'
import { entry, listening, page } from './board.ts'

async function connected(at: string, text = ''): Promise<Socket> {
  const socket = connect(Number(new URL(at).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  if (text) socket.write(text)
  return socket
}

const closed = async (socket: Socket): Promise<void> => {
  socket.resume()
  if (!socket.destroyed) await once(socket, 'close')
}

const connections = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))))

describe('connections', () => {
  it('that are idle make room for others, the longest idle first', async () => {
    const server = boundedServer((_, response) => void response.end('here'), { ...CONNECTION_LIMITS, connections: 3 })
    const at = await listening(server)
    const [first, second, third] = [await connected(at), await connected(at), await connected(at)]
    expect(await (await fetch(at, { headers: { connection: 'close' } })).text()).toBe('here')
    await closed(first)
    expect([second.destroyed, third.destroyed]).toEqual([false, false])
  })

  it('never exceed the most, however many come', async () => {
    const server = boundedServer((_, response) => void response.end('here'), { ...CONNECTION_LIMITS, connections: 10 })
    const at = await listening(server)
    const sockets = await Promise.all(Array.from({ length: 300 }, () => connected(at)))
    await Promise.all(sockets.slice(0, 200).map(closed))
    expect(await connections(server)).toBeLessThanOrEqual(10)
    expect((await fetch(at)).status).toBe(200)
  })

  it('with a request under way are kept, and newcomers turned away', async () => {
    let [count, onBoth] = [0, (): void => {}]
    const both = new Promise<void>((resolve) => {
      onBoth = resolve
    })
    const server = boundedServer(() => ++count === 2 && onBoth(), { ...CONNECTION_LIMITS, connections: 2 })
    const at = await listening(server)
    const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
    const [first, second] = [await connected(at, request), await connected(at, request)]
    await both
    await closed(await connected(at))
    expect([first.destroyed, second.destroyed]).toEqual([false, false])
  })

  it.each([
    ['that send nothing', ''],
    ['that send half of a request', 'GET / HTTP/1.1\r\nHost: x\r\n'],
    ['that send half of a body', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{'],
  ])('%s are closed', async (_, text) => {
    const limits = { ...CONNECTION_LIMITS, requestWithin: 50 }
    const at = await listening(boundedServer(() => {}, limits))
    await closed(await connected(at, text))
  })

  it('that do not read are closed', async () => {
    const endless = boundedServer((_, response) => void response.end(Buffer.alloc(50_000_000)), {
      ...CONNECTION_LIMITS,
      silentFor: 200,
    })
    const at = await listening(endless)
    const socket = await connected(at, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    socket.pause()
    const [accepted] = (await once(endless, 'request')) as [{ socket: Socket }]
    await once(accepted.socket, 'close')
    expect(accepted.socket.destroyed).toBe(true)
  })
})

describe('streams of events', () => {
  it('are so many at most, and one that ends makes room', async () => {
    const { ask } = page()
    const streams = await Promise.all(Array.from({ length: STREAM_LIMITS.streams }, () => ask('/api/events')))
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]))
    const refused = await ask('/api/events')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
    await streams[0]?.body?.cancel()
    const next = await ask('/api/events')
    expect(next.status).toBe(200)
    await Promise.all([...streams.slice(1), next].map(({ body }) => body?.cancel()))
  })

  it('of clients that are gone end', async () => {
    const server = createServer(page({ refreshEvery: '200ms' }).board.handler)
    const at = await listening(server)
    const open = async () => {
      const request = 'GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
      const streams = Array.from({ length: STREAM_LIMITS.streams }, () => connected(at, request))
      const sockets = await Promise.all(streams)
      const heads = await Promise.all(sockets.map(async (socket) => String((await once(socket, 'data'))[0])))
      expect(heads.filter((head) => !head.startsWith('HTTP/1.1 200'))).toEqual([])
      for (const socket of sockets) socket.destroy()
      await expect.poll(() => connections(server)).toBe(0)
    }
    await open()
    // As many as before are served: none of them is counted any more.
    await open()
  })

  it('asked for by HEAD leave nothing open', async () => {
    const { ask } = page()
    for (let count = 0; count < 3 * STREAM_LIMITS.streams; count++)
      expect((await ask('/api/events', { method: 'HEAD' })).status).toBe(200)
    const stream = await ask('/api/events')
    expect(stream.status).toBe(200)
    await stream.body?.cancel()
  })

  it('end with the dashboard', async () => {
    const { ask, board } = page()
    const { body } = await ask('/api/events')
    board.close()
    const reader = body?.getReader()
    while (!(await reader?.read())?.done);
  })

  it('whose client does not read are cut off', async () => {
    const { ask, provider } = page({ refreshEvery: '200ms' })
    const { body } = await ask('/api/events')
    const reads = provider.history
    if (!reads) throw new Error('memory keeps history')
    let looks = 0
    const { nodes } = reads
    reads.nodes = () => {
      looks++
      return nodes()
    }
    await expect.poll(() => looks, { timeout: 15_000 }).toBeGreaterThanOrEqual(STREAM_LIMITS.behind)
    const reader = body?.getReader()
    await expect
      .poll(
        async () =>
          reader?.read().then(
            () => 'read',
            () => 'cut off',
          ),
        { timeout: 5_000 },
      )
      .toBe('cut off')
  })
})

describe('requests at the same time', () => {
  it('that are equal cost the store one read', async () => {
    const { ask, provider } = page()
    let reads = 0
    const { read } = provider
    provider.read = (names) => {
      reads++
      return read(names)
    }
    const responses = await Promise.all(Array.from({ length: 500 }, () => ask('/api/jobs')))
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]))
    expect(reads).toBeLessThanOrEqual(2)
  })

  it('that differ wait in a line of bounded length', async () => {
    const { ask, provider } = page()
    await (await ask('/api/jobs')).text()
    let underWay = 0
    let most = 0
    const { read } = provider
    provider.read = async (names) => {
      most = Math.max(most, ++underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay--
      return read(names)
    }
    const responses = await Promise.all(Array.from({ length: 500 }, (_, index) => ask(`/api/jobs?page=${index + 1}`)))
    const statuses = responses.map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([200, 503]))
    expect(most).toBeLessThanOrEqual(8)
    expect((await ask('/api/jobs')).status).toBe(200)
  })
})

describe('many jobs', () => {
  it('are read in chunks, so that a tick never waits long behind them', async () => {
    const { ask, provider, scheduler } = page()
    for (let index = 0; index < 20_000; index++) scheduler.job({ name: `job-${index}`, every: '1h' }, () => {})
    const sizes: number[] = []
    const { read } = provider
    provider.read = (names) => {
      sizes.push(names?.length ?? Number.POSITIVE_INFINITY)
      return read(names)
    }
    let complete = false
    while (!complete) {
      const response = await ask('/api/jobs?filter=running')
      expect(response.status).toBe(200)
      complete = ((await response.json()) as { complete: boolean }).complete
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500)
    expect(sizes.length).toBeGreaterThanOrEqual(40)
  })

  it('cost the same few reads however many locks others keep in the store', async () => {
    const { ask, provider } = page()
    for (let index = 0; index < 5_000; index++) await provider.setPaused?.({ name: `other-${index}`, paused: true })
    const read = provider.read.bind(provider)
    provider.read = (names) => (names ? read(names) : Promise.reject(new Error('every lock of the store was read')))
    for (const filter of ['all', 'running', 'paused', 'failing'])
      expect((await ask(`/api/jobs?filter=${filter}`)).status).toBe(200)
  })
})

describe('a history that fails', () => {
  it('leaves the jobs, their locks and their next ticks on the page', async () => {
    const { ask, provider } = page()
    await provider.history?.write([entry({})])
    const broken = () => Promise.reject(new Error('Unexpected token in JSON'))
    Object.assign(provider.history ?? {}, { read: broken, latest: broken })
    const response = await ask('/api/jobs')
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ historyFailed: true, jobs: [{ name: 'report', strip: [] }] })
    const job = await ask('/api/job?name=report')
    expect(await job.json()).toMatchObject({ name: 'report', historyFailed: true, entries: [] })
  })
})
