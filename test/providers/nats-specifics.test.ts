/* What is particular to NATS: its bucket, its users, and what happens when a server or a connection fails. */
import { connect } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { nats } from '../../providers/nats/index.ts'
import type { AcquireResult, LockProvider } from '../../src/provider/index.ts'
import { TcpProxy } from '../chaos/tcp-proxy.ts'
import { onFreePort } from '../servers/free-port.ts'
import { startServer, type TestServer } from '../servers/index.ts'
import { launchNats } from '../servers/nats.ts'
import type { ServerProcess } from '../servers/server-process.ts'
import { acquire, acquireOf, only, release } from '../unit/provider/versioned/requests.ts'
import { keyOf, natsClient } from './nats-subject.ts'

const server = inject('servers').nats
const url = 'url' in server ? server.url : ''
const here = describe.skipIf(url === '')

let buckets = 0
const newBucket = (): string => `particular-${process.pid}-${++buckets}`
const isGrant = (result: unknown): boolean => (result as AcquireResult).granted === true

/** Runs something with a provider that is closed in the end. */
async function using<Result>(
  provider: LockProvider,
  run: (provider: LockProvider) => Promise<Result>,
): Promise<Result> {
  try {
    return await run(provider)
  } finally {
    await provider.close()
  }
}

here('the bucket of NATS', () => {
  const made: string[] = []
  /** A bucket and the tests' own client of it, which are gone in the end. */
  async function inBucket(run: (bucket: string, client: ReturnType<typeof natsClient>) => Promise<void>) {
    const bucket = newBucket()
    made.push(bucket)
    const client = natsClient(url, bucket)
    try {
      await run(bucket, client)
    } finally {
      await client.destroy().catch(() => {})
      await client.close()
    }
  }

  it('keeps the last value of each name, without a TTL, so that nothing forgets the last tick', () =>
    inBucket(async (bucket, client) => {
      await using(nats({ url, bucket }), async (provider) => {
        await provider.setup?.()
        const tick = Date.now() - 1_000
        await acquire(provider, 'näme of > a.job/*', 'one', { tick })
        await release(provider, 'näme of > a.job/*', 'one', { tick })
        const { config, state } = await (await client.streams()).info(client.stream, { subjects_filter: '>' })
        expect(config).toMatchObject({ max_msgs_per_subject: 1, max_age: 0, discard: 'new', storage: 'file' })
        expect(state.subjects).toEqual({ [`$KV.${bucket}.${keyOf('näme of > a.job/*')}`]: 1 })
        expect(JSON.parse((await client.get('näme of > a.job/*')) ?? '')).toMatchObject({
          lastTick: tick,
          tickDone: true,
        })
      })
    }))

  it('is read from the server that leads it, also where it allows direct reads', () =>
    inBucket(async (bucket, client) => {
      await (await client.kvm()).create(bucket, { history: 1, allow_direct: true })
      const connection = await client.connection()
      const requests: string[] = []
      const watching = connection.subscribe('$JS.API.>', { callback: (_, { subject }) => void requests.push(subject) })
      await using(nats({ url, bucket }), async (provider) => {
        await provider.setup?.()
        await acquire(provider, 'a', 'one')
        await provider.read()
      })
      await connection.flush()
      watching.unsubscribe()
      expect(requests).toContain(`$JS.API.STREAM.MSG.GET.${client.stream}`)
      expect(requests.filter((subject) => subject.includes('DIRECT'))).toEqual([])
    }))

  it.each([
    ['with a TTL', { max_age: 3_600e9 }, /has a TTL/],
    ['that makes room by discarding', { discard: 'old', max_bytes: 1_000_000 }, /discards old values/],
  ])('is refused %s, before anything is granted', (_, change, message) =>
    inBucket(async (bucket, client) => {
      await (await client.kvm()).create(bucket, { history: 1 })
      await (await client.streams()).update(client.stream, change as object)
      await using(nats({ url, bucket }), async (provider) => {
        await expect(provider.setup?.()).rejects.toThrow(message)
        await expect(acquire(provider, 'a', 'one')).rejects.toThrow(message)
        expect(await client.get('a')).toBeUndefined()
      })
    }),
  )

  it('may hold keys of others, which are left alone', () =>
    inBucket(async (bucket, client) => {
      await using(nats({ url, bucket }), async (provider) => {
        await provider.setup?.()
        const kv = await (await client.kvm()).open(bucket)
        await kv.put('not.one=of/ours', 'x')
        await acquire(provider, 'a', 'one')
        await release(provider, 'a', 'one')
        expect((await provider.read()).map(({ name }) => name)).toEqual(['a'])
        expect(await provider.prune(-60_000)).toBe(1)
        expect((await kv.get('not.one=of/ours'))?.string()).toBe('x')
      })
    }))

  it('takes a name again whose removal left a marker', () =>
    inBucket(async (bucket) => {
      await using(nats({ url, bucket }), async (provider) => {
        await provider.setup?.()
        await acquire(provider, 'a', 'one')
        await release(provider, 'a', 'one')
        expect(await provider.prune(-60_000)).toBe(1)
        expect([await provider.read(), await provider.read(['a'])]).toEqual([[], []])
        const results = await Promise.all(['two', 'three', 'four'].map((owner) => acquire(provider, 'a', owner)))
        expect(results.filter(isGrant).length).toBe(1)
      })
    }))

  it('takes 1,000 names at once', () =>
    inBucket(async (bucket) => {
      await using(nats({ url, bucket }), async (provider) => {
        await provider.setup?.()
        const requests = Array.from({ length: 1_000 }, (_, index) => acquireOf(`job-${index}`, 'one'))
        const results = await provider.acquire(requests, { timeout: 30_000 })
        expect(results.filter(isGrant).length).toBe(1_000)
        expect((await provider.read()).length).toBe(1_000)
      })
    }))

  it('may be reached over a JetStreamClient of your own', () =>
    inBucket(async (bucket, client) => {
      const { js } = await client.kvm()
      await using(nats({ connection: js, bucket }), async (provider) => {
        await provider.setup?.()
        expect(isGrant(await acquire(provider, 'a', 'one'))).toBe(true)
      })
      expect((await client.connection()).isClosed()).toBe(false)
    }))
})

describe('the options of nats', () => {
  it.each([
    ['nats://', /url must be/],
    ['http://h:4222', /url must be/],
    ['nats://h:4222/bucket', /option bucket/],
    ['nats://h1,,h2', /url must be/],
    ['nats://h:port', /url must be/],
    ['nats://:p@h', /empty user/],
    [{}, /exactly one of url and connection/],
    [{ url: 'nats://h', connection: { request() {} } }, /exactly one of url and connection/],
    [{ connection: 'nats://h' }, /connection must be/],
    [{ url: 7 }, /url must be a string/],
    [{ url: 'nats://h', bucket: 'a.b' }, /bucket must be/],
    [{ url: 'nats://h', bucket: '' }, /bucket must be/],
    [{ url: 'nats://h', replicas: 0 }, /replicas must be/],
    [{ url: 'nats://h', table: 'x' }, /unknown option "table"; the options are url, connection, bucket, replicas/],
    [undefined, /a URL, a connection or options/],
  ])('%j is refused', (input, message) => {
    expect(() => nats(input as string)).toThrow(message)
  })

  it('are refused without the password in the error', () => {
    expect(() => nats('nats://app:hush-hush@h:4222/x')).toThrow(expect.not.stringContaining('hush'))
  })

  it.each([
    'nats://h',
    'nats+tls://a:b@h1:1,h2:2',
    'nats://[::1]:4222,10.0.0.1',
    'nats://t/ken@h',
    'nats://a:p@s:s/%@h',
  ])('%s opens nothing yet', (input) => using(nats(input), async () => {}))
})

here('a NATS with users', () => {
  const launched: ServerProcess[] = []
  const launch = async (authorization: string): Promise<string> => {
    const process = await onFreePort((port) => launchNats(port, [authorization]))
    launched.push(process)
    return `127.0.0.1:${process.port}`
  }
  afterAll(() => Promise.all(launched.map((process) => process.stop())))

  it('grants to a user with a password, and rejects others without showing theirs', async () => {
    const host = await launch('authorization { user: "app", password: "p@ss/hush" }')
    await using(nats(`nats://app:p@ss%2Fhush@${host}`), async (provider) => {
      await provider.setup?.()
      expect(isGrant(await acquire(provider, 'a', 'one'))).toBe(true)
    })
    for (const login of ['app:wrong-hush@', 'nobody:wrong-hush@', 'hush@', '']) {
      await using(nats(`nats://${login}${host}`), async (provider) => {
        const error = await acquire(provider, 'a', 'two').catch((failure: Error) => failure)
        expect(String(error)).toMatch(/can't be reached: .*Authorization/i)
        expect(String(error)).not.toMatch(/hush/)
      })
    }
  })

  it('needs no rights but those that its page names', async () => {
    const streams = ['INFO', 'MSG.GET', 'CREATE'].map((verb) => `"$JS.API.STREAM.${verb}.KV_ticklock"`)
    const allowed = ['"$KV.ticklock.>"', '"$JS.API.INFO"', ...streams].join(', ')
    const host = await launch(
      `authorization { users: [{ user: "app", password: "x", permissions: { publish: [${allowed}], subscribe: "_INBOX.>" } }] }`,
    )
    await using(nats(`nats://app:x@${host}`), async (provider) => {
      await provider.setup?.()
      expect(isGrant(await acquire(provider, 'a', 'one'))).toBe(true)
      expect(await release(provider, 'a', 'one')).toBe(true)
      expect((await provider.read()).length).toBe(1)
      expect(await provider.prune(-60_000)).toBe(1)
    })
    await using(nats({ url: `nats://app:x@${host}`, bucket: 'other' }), async (provider) => {
      await expect(acquire(provider, 'a', 'one')).rejects.toThrow(/permission/i)
    })
  })

  it('grants by a token', async () => {
    const host = await launch('authorization { token: "t0ken/hush" }')
    await using(nats(`nats://t0ken%2Fhush@${host}`), async (provider) => {
      await provider.setup?.()
      expect(isGrant(await acquire(provider, 'a', 'one'))).toBe(true)
    })
  })

  it('is refused over nats+tls where it has no TLS', async () => {
    const host = await launch('')
    await using(nats(`nats+tls://${host}`), async (provider) => {
      await expect(acquire(provider, 'a', 'one')).rejects.toThrow(/tls/)
    })
  })
})

here('a NATS that fails', () => {
  let own: TestServer
  beforeAll(async () => {
    const started = await startServer('nats')
    if ('unavailable' in started) throw new Error(started.unavailable)
    own = started
    await using(nats(own.url), async (provider) => await provider.setup?.())
  })
  afterAll(() => own?.stop())

  const port = (): number => Number(new URL(own.url).port)

  it('is an error while it is killed, and knows its locks and ticks when it is back', async () => {
    const [process] = own.processes
    await using(nats(own.url), async (provider) => {
      const tick = Date.now() - 1_000
      const before = await acquire(provider, 'killed', 'one', { tick })
      await process?.kill()
      await expect(acquire(provider, 'killed', 'two')).rejects.toThrow(/can't be reached/)
      await process?.start()
      const again = await acquire(provider, 'killed', 'one', { tick })
      expect([isGrant(before), isGrant(again)]).toEqual([true, true])
      expect((again as { lease: { fencingToken: number } }).lease.fencingToken).toBe(
        (before as { lease: { fencingToken: number } }).lease.fencingToken,
      )
      expect(await acquire(provider, 'killed', 'two', { tick })).toMatchObject({ reason: 'tick-taken' })
    })
  })

  it('is an error within the timeout while it is stopped', async () => {
    const [process] = own.processes
    await using(nats(own.url), async (provider) => {
      await acquire(provider, 'stopped', 'one')
      process?.pause()
      try {
        const outcome = (): Promise<string> =>
          provider.acquire([acquireOf('stopped', 'two')], { timeout: 500 }).then(() => 'answered', String)
        // The signal takes its time to stop all threads.
        await expect.poll(outcome, { timeout: 20_000 }).toMatch(/did not respond within/)
      } finally {
        process?.resume()
      }
      expect(await acquire(provider, 'stopped', 'two')).toMatchObject({ granted: false, reason: 'held' })
    })
  })

  it('grants once though responses are lost, and the owner gets what was granted', async () => {
    const proxy = await TcpProxy.to(port())
    try {
      await using(nats(`nats://127.0.0.1:${proxy.port}`), async (provider) => {
        await acquire(provider, 'other', 'one')
        proxy.set('open', 'lost')
        const lost = await provider
          .acquire([acquireOf('lost', 'one')], { timeout: 600 })
          .catch((error: Error) => [error] as const)
        expect(only(lost)).toBeInstanceOf(Error)
        proxy.set('open', 'open')
        proxy.cut(false)
        const granted = await acquire(provider, 'lost', 'one')
        expect(isGrant(granted)).toBe(true)
        expect(await acquire(provider, 'lost', 'two')).toMatchObject({ granted: false, reason: 'held' })
      })
    } finally {
      await proxy.close()
    }
  })

  it('recognises its own write whose response was lost', async () => {
    const proxy = await TcpProxy.to(port())
    const watcher = await connect({ servers: own.url.replace('nats://', '') })
    try {
      await using(nats(`nats://127.0.0.1:${proxy.port}`), async (provider) => {
        await acquire(provider, 'other', 'one')
        // From the write on nothing comes back; then the connection breaks, and the provider makes another.
        watcher.subscribe(`$KV.ticklock.${keyOf('written')}`, { callback: () => proxy.cut(false) })
        await watcher.flush()
        const granted = await acquire(provider, 'written', 'one')
        expect(isGrant(granted)).toBe(true)
        expect(await acquire(provider, 'written', 'two')).toMatchObject({ granted: false, reason: 'held' })
      })
    } finally {
      await watcher.close()
      await proxy.close()
    }
  })

  it('is left for the next server of the URL when its connections break', async () => {
    const proxies = [await TcpProxy.to(port()), await TcpProxy.to(port())]
    const [first, second] = proxies as [TcpProxy, TcpProxy]
    try {
      await using(nats(`nats://127.0.0.1:1,127.0.0.1:${first.port},127.0.0.1:${second.port}`), async (provider) => {
        expect(isGrant(await acquire(provider, 'many', 'one'))).toBe(true)
        first.cut(true)
        expect(await acquire(provider, 'many', 'two')).toMatchObject({ granted: false, reason: 'held' })
        first.cut(false)
        second.cut(true)
        expect(await release(provider, 'many', 'one')).toBe(true)
      })
    } finally {
      for (const proxy of proxies) await proxy.close()
    }
  })

  it('closes what is under way', async () => {
    const provider = nats(own.url)
    const first = acquire(provider, 'closing', 'one').catch((error: Error) => error)
    await provider.close()
    await provider.close()
    expect(String(await first)).toMatch(/closed/)
    await expect(acquire(provider, 'closing', 'one')).rejects.toThrow(/closed/)
  })
})
