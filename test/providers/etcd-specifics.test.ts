/* What is particular to etcd: its keys, its limits, its users, and what happens when a member or a connection fails. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { etcd } from '../../providers/etcd/index.ts'
import type { AcquireResult, LockProvider } from '../../src/provider/index.ts'
import { TcpProxy } from '../chaos/tcp-proxy.ts'
import { startServer, type TestServer } from '../servers/index.ts'
import { acquire, acquireOf, only, release } from '../unit/provider/versioned/requests.ts'
import { etcdClient } from './etcd-subject.ts'

const server = inject('servers').etcd
const url = 'url' in server ? server.url : ''
const here = describe.skipIf(url === '')

let prefixes = 0
const newPrefix = (): string => `specifics-${process.pid}-${++prefixes}/`
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

here('the keys of etcd', () => {
  const client = etcdClient(url)

  it('are one for each name, without a lease of etcd, so that nothing forgets the last tick', async () => {
    const prefix = newPrefix()
    await using(etcd({ url, prefix }), async (provider) => {
      const tick = Date.now() - 1_000
      await acquire(provider, 'nightly', 'one', { tick })
      await release(provider, 'nightly', 'one', { tick })
      const { kvs } = (await client.call('/v3/kv/range', {
        key: Buffer.from(prefix).toString('base64'),
        range_end: Buffer.from(`${prefix.slice(0, -1)}0`).toString('base64'),
      })) as unknown as { kvs: readonly { readonly key: string; readonly value: string; readonly lease?: string }[] }
      expect(kvs.map(({ key, lease }) => [Buffer.from(key, 'base64').toString(), lease ?? '0'])).toEqual([
        [`${prefix}nightly`, '0'],
      ])
      expect(JSON.parse(Buffer.from(kvs[0]?.value ?? '', 'base64').toString())).toMatchObject({
        lastTick: tick,
        tickDone: true,
      })
    })
  })

  it('of another prefix are left alone', async () => {
    const prefix = newPrefix()
    await client.put(`${prefix.slice(0, -1)}0`, 'after the last key of the prefix')
    await client.put(prefix.slice(0, -1), 'before the first')
    await using(etcd({ url, prefix }), async (provider) => {
      await acquire(provider, 'a', 'one')
      expect((await provider.read()).map(({ name }) => name)).toEqual(['a'])
    })
  })

  it('are written in chunks that etcd takes, 1,000 of them at once', async () => {
    await using(etcd({ url, prefix: newPrefix() }), async (provider) => {
      const requests = Array.from({ length: 1_000 }, (_, index) => acquireOf(`job-${index}`, 'one'))
      const results = await provider.acquire(requests, { timeout: 30_000 })
      expect(results.filter(isGrant).length).toBe(1_000)
      expect((await provider.read()).length).toBe(1_000)
    })
  })
})

describe('the options of etcd', () => {
  it.each([
    ['etcd://', /url must be/],
    ['http://h:2379', /url must be/],
    ['etcd://h:2379/prefix', /option prefix/],
    ['etcd://h1,,h2', /url must be/],
    ['etcd://h:port', /url must be/],
    ['etcd://app@h', /both a user and a password/],
    [{ url: 'etcd://h', prefix: '' }, /prefix must be/],
    [{ url: 'etcd://h', prefix: 7 }, /prefix must be/],
    [{ url: 'etcd://h', table: 'x' }, /unknown option "table"; the options are url, prefix, fetch/],
    [{ url: 'etcd://h', fetch: 'x' }, /fetch must be a function/],
    [undefined, /a URL or options/],
  ])('%j is refused', (input, message) => {
    expect(() => etcd(input as string)).toThrow(message)
  })

  it('are refused without the password in the error', () => {
    expect(() => etcd('etcd://app:hush-hush@h:2379/x')).toThrow(expect.not.stringContaining('hush'))
  })

  it.each(['etcd://h', 'etcds://a:b@h1:1,h2:2', 'etcd://[::1]:2379,10.0.0.1', 'etcd://app:p@ss:w/rd@h'])(
    '%s opens nothing yet',
    (input) => using(etcd(input), async () => {}),
  )
})

here('an etcd with users', () => {
  let own: TestServer
  const root = { name: 'root', password: 'root-hush' }
  /** A request as root. */
  const asRoot = async (path: string, body: object): Promise<unknown> => {
    const { token } = await etcdClient(own.url).call('/v3/auth/authenticate', root)
    return etcdClient(own.url, { authorization: String(token) }).call(path, body)
  }
  const urlOf = (user: string): string => own.url.replace('etcd://', `etcd://${user}@`)

  beforeAll(async () => {
    const started = await startServer('etcd')
    if ('unavailable' in started) throw new Error(started.unavailable)
    own = started
    const { call } = etcdClient(own.url)
    const base64 = (text: string): string => Buffer.from(text).toString('base64')
    await call('/v3/auth/user/add', root)
    await call('/v3/auth/user/grant', { user: 'root', role: 'root' })
    await call('/v3/auth/user/add', { name: 'app', password: 'p@ss/hush' })
    await call('/v3/auth/role/add', { name: 'locks' })
    const perm = { permType: 'READWRITE', key: base64('ticklock/'), range_end: base64('ticklock0') }
    await call('/v3/auth/role/grant', { name: 'locks', perm })
    await call('/v3/auth/user/grant', { user: 'app', role: 'locks' })
    await call('/v3/auth/enable', {})
  })
  afterAll(() => own?.stop())

  it('grants to a user with rights on the prefix, and logs in again when its token is void', async () => {
    await using(etcd(urlOf('app:p@ss/hush')), async (provider) => {
      expect(isGrant(await acquire(provider, 'a', 'one'))).toBe(true)
      // A changed password makes the tokens of its user void, and a restart those of all.
      await asRoot('/v3/auth/user/changepw', { name: 'app', password: 'p@ss/hush' })
      expect(await release(provider, 'a', 'one')).toBe(true)
      expect((await provider.read()).length).toBe(1)
      await own.processes[0]?.kill()
      await own.processes[0]?.start()
      expect(await provider.prune(0)).toBeGreaterThanOrEqual(0)
    })
  })

  it.each([
    ['a wrong password', 'app:wrong-hush', 'ticklock/'],
    ['an unknown user', 'nobody:wrong-hush', 'ticklock/'],
    ['a prefix without rights', 'app:p@ss/hush', 'other/'],
  ])('rejects what comes with %s, and shows no password', async (_, user, prefix) => {
    await using(etcd({ url: urlOf(user), prefix }), async (provider) => {
      const error = await acquire(provider, 'a', 'one').catch((failure: Error) => failure)
      expect(error).toBeInstanceOf(Error)
      expect(String(error)).toMatch(/refused the request/)
      expect(String(error)).not.toMatch(/hush/)
    })
  })

  it('rejects what comes without a user', async () => {
    await using(etcd(own.url), async (provider) => {
      await expect(acquire(provider, 'a', 'one')).rejects.toThrow(/refused the request: .*user/)
    })
  })
})

here('an etcd that fails', () => {
  let own: TestServer
  beforeAll(async () => {
    const started = await startServer('etcd')
    if ('unavailable' in started) throw new Error(started.unavailable)
    own = started
  })
  afterAll(() => own?.stop())

  const port = (): number => Number(new URL(own.url).port)

  it('is an error while it is killed, and knows its locks and ticks when it is back', async () => {
    const [process] = own.processes
    await using(etcd(own.url), async (provider) => {
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
    await using(etcd(own.url), async (provider) => {
      await acquire(provider, 'stopped', 'one')
      process?.pause()
      try {
        const outcome = (): Promise<string> =>
          provider.acquire([acquireOf('stopped', 'two')], { timeout: 500 }).then(() => 'answered', String)
        // The signal takes its time to stop all threads.
        await expect.poll(outcome, { timeout: 20_000 }).toMatch(/did not answer within/)
      } finally {
        process?.resume()
      }
      expect(await acquire(provider, 'stopped', 'two')).toMatchObject({ granted: false, reason: 'held' })
    })
  })

  it('grants once though responses are lost, and the owner gets what was granted', async () => {
    const proxy = await TcpProxy.to(port())
    try {
      await using(etcd(`etcd://127.0.0.1:${proxy.port}`), async (provider) => {
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

  it('is left for the next endpoint when its connections break, and for a third', async () => {
    const proxies = [await TcpProxy.to(port()), await TcpProxy.to(port())]
    const [first, second] = proxies as [TcpProxy, TcpProxy]
    try {
      const endpoints = `etcd://127.0.0.1:1,127.0.0.1:${first.port},127.0.0.1:${second.port}`
      await using(etcd(endpoints), async (provider) => {
        expect(isGrant(await acquire(provider, 'many', 'one'))).toBe(true)
        first.cut(true)
        expect(await acquire(provider, 'many', 'two')).toMatchObject({ granted: false, reason: 'held' })
        expect(await release(provider, 'many', 'one')).toBe(true)
        first.cut(false)
        second.cut(true)
        expect(isGrant(await acquire(provider, 'many', 'two'))).toBe(true)
      })
    } finally {
      for (const proxy of proxies) await proxy.close()
    }
  })

  it('closes what is under way', async () => {
    const provider = etcd(own.url)
    const first = acquire(provider, 'closing', 'one').catch((error: Error) => error)
    await provider.close()
    await provider.close()
    expect(String(await first)).toMatch(/closed/)
    await expect(acquire(provider, 'closing', 'one')).rejects.toThrow(/closed/)
  })
})
