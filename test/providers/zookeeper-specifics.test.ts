/* What is particular to ZooKeeper: its znodes, its users, its sessions, and what happens when a server or a connection fails. */
import { once } from 'node:events'
import { ACL, type Client, createClient, Id, Permission } from 'node-zookeeper-client'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { ZooKeeperClient } from '../../providers/zookeeper/driver.ts'
import { zookeeper } from '../../providers/zookeeper/index.ts'
import type { AcquireResult, LockProvider } from '../../src/provider/index.ts'
import { TcpProxy } from '../chaos/tcp-proxy.ts'
import { startServer, type TestServer } from '../servers/index.ts'
import { until } from '../servers/until.ts'
import { fourLetters } from '../servers/zookeeper.ts'
import { acquireOf, acquire as acquireSoon, only, release } from '../unit/provider/versioned/requests.ts'
import { zookeeperClient } from './zookeeper-subject.ts'

const server = inject('servers').zookeeper
const url = 'url' in server ? server.url : ''
const here = describe.skipIf(url === '')

/** A server just started is slow at first, the more on a busy machine. */
const acquire = async (provider: LockProvider, ...of: Parameters<typeof acquireOf>) =>
  only(await provider.acquire([acquireOf(...of)], { timeout: 20_000 }))

let roots = 0
const newRoot = (): string => `/particular-${process.pid}-${++roots}`
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

/** A znode, and the tests' own client, which are gone in the end. */
async function inRoot(run: (root: string, client: ReturnType<typeof zookeeperClient>) => Promise<void>) {
  const root = newRoot()
  const client = zookeeperClient(url, root)
  try {
    await run(root, client)
  } finally {
    await client.destroy()
    await client.close()
  }
}

here('the znodes of ZooKeeper', () => {
  it('are one for each name, persistent, so that nothing forgets the last tick', () =>
    inRoot(async (root, client) => {
      await using(zookeeper({ url, root }), async (provider) => {
        await provider.setup?.()
        const tick = Date.now() - 1_000
        const names = ['näme of a/b', '.', '..', '...', '%2E', 'a']
        for (const name of names) await acquire(provider, name, 'one', { tick })
        await release(provider, 'a', 'one', { tick })
        const children = await client.call<string[]>((zk, done) => zk.getChildren(root, done))
        expect(children.sort()).toEqual(['%2E', '%2E%2E', '%2E%2E%2E', '%252E', 'a', 'n%C3%A4me%20of%20a%2Fb'].sort())
        const stat = await client.call<{ ephemeralOwner: Buffer }>((zk, done) => zk.exists(`${root}/a`, done as never))
        expect(stat.ephemeralOwner.readBigInt64BE()).toBe(0n)
        expect(JSON.parse((await client.get('a')) ?? '')).toMatchObject({ lastTick: tick, tickDone: true })
        expect((await provider.read()).map(({ name }) => name)).toEqual([...names].sort())
      })
    }))

  it('are emptied when they are pruned, so that no version comes back, and taken again', () =>
    inRoot(async (root, client) => {
      await using(zookeeper({ url, root }), async (provider) => {
        await provider.setup?.()
        await acquire(provider, 'a', 'one')
        await release(provider, 'a', 'one')
        const versionOf = async () =>
          (await client.call<{ version: number }>((zk, done) => zk.exists(`${root}/a`, done as never))).version
        const before = await versionOf()
        expect(await provider.prune(-60_000)).toBe(1)
        expect([await provider.read(), await provider.read(['a'])]).toEqual([[], []])
        expect(await versionOf()).toBeGreaterThan(before)
        const results = await Promise.all(['two', 'three', 'four'].map((owner) => acquire(provider, 'a', owner)))
        expect(results.filter(isGrant).length).toBe(1)
      })
    }))

  it('of others are left alone', () =>
    inRoot(async (root, client) => {
      await using(zookeeper({ url, root }), async (provider) => {
        await provider.setup?.()
        await client.call((zk, done) => zk.create(`${root}/not ours`, Buffer.from('x'), done))
        await acquire(provider, 'a', 'one')
        expect((await provider.read()).map(({ name }) => name)).toEqual(['a'])
      })
    }))

  it('are 1,000 at once', () =>
    inRoot(async (root) => {
      await using(zookeeper({ url, root }), async (provider) => {
        await provider.setup?.()
        const requests = Array.from({ length: 1_000 }, (_, index) => acquireOf(`job-${index}`, 'one'))
        const results = await provider.acquire(requests, { timeout: 30_000 })
        expect(results.filter(isGrant).length).toBe(1_000)
        expect((await provider.read()).length).toBe(1_000)
      })
    }))
})

describe('the options of zookeeper', () => {
  it.each([
    ['zookeeper://', /url must be/],
    ['http://h:2181', /url must be/],
    ['zookeeper://h:2181/chroot', /option root/],
    ['zookeeper://h1,,h2', /url must be/],
    ['zookeeper://h:port', /url must be/],
    ['zookeeper://app@h', /both a user and a password/],
    [{}, /exactly one of url and client/],
    [{ client: 'zookeeper://h' }, /client must be/],
    [{ url: 7 }, /url must be a string/],
    [{ url: 'zookeeper://h', root: 'locks' }, /root must be/],
    [{ url: 'zookeeper://h', root: '/' }, /root must be/],
    [{ url: 'zookeeper://h', root: '/a/../b' }, /root must be/],
    [{ url: 'zookeeper://h', acl: [] }, /acl must be/],
    [{ url: 'zookeeper://h', table: 'x' }, /unknown option "table"; the options are url, client, acl, root/],
    [undefined, /a URL, a client or options/],
  ])('%j is refused', (input, message) => {
    expect(() => zookeeper(input as string)).toThrow(message)
  })

  it('are refused without the password in the error', () => {
    expect(() => zookeeper('zookeeper://app:hush-hush@h:2181/x')).toThrow(expect.not.stringContaining('hush'))
  })

  it.each(['zookeeper://h', 'zookeeper://a:b@h1:1,h2:2', 'zookeeper://a:p@s:s/%@h'])('%s opens nothing yet', (input) =>
    using(zookeeper(input), async () => {}),
  )
})

here('a user of ZooKeeper', () => {
  it('alone may use what it created', () =>
    inRoot(async (root) => {
      const urlOf = (login: string): string => url.replace('zookeeper://', `zookeeper://${login}@`)
      const { login } = { login: 'app:p@ss/hush' }
      await using(zookeeper({ url: urlOf(login), root }), async (provider) => {
        await provider.setup?.()
        expect(isGrant(await acquire(provider, 'a', 'one'))).toBe(true)
        for (const other of [url, urlOf('app:wrong-hush')]) {
          await using(zookeeper({ url: other, root }), async (stranger) => {
            const error = await acquire(stranger, 'a', 'two').catch((failure: Error) => failure)
            expect(String(error)).toMatch(/NO_AUTH/)
            expect(String(error)).not.toMatch(/hush/)
          })
        }
        expect(await release(provider, 'a', 'one')).toBe(true)
        // The tests' own client has no rights either.
        const admin = zookeeperClient(url, root)
        ;(await admin.client()).addAuthInfo('digest', Buffer.from(login))
        await admin.destroy()
        await admin.close()
      })
    }))
})

here('the client of the user', () => {
  const connected = async (port: number, session: object = {}): Promise<Client> => {
    const client = createClient(`127.0.0.1:${port}`, session)
    const ready = once(client, 'connected')
    client.connect()
    await ready
    return client
  }

  it('creates with the ACL of the options, and must be replaced when its session has ended', () =>
    inRoot(async (root, client) => {
      const port = Number(new URL(url).port)
      const proxy = await TcpProxy.to(port)
      const own = await connected(proxy.port)
      const acl = [new ACL(Permission.ALL, new Id('ip', '127.0.0.1'))]
      await using(zookeeper({ client: own as unknown as ZooKeeperClient, acl, root }), async (provider) => {
        await provider.setup?.()
        expect(isGrant(await acquire(provider, 'a', 'one'))).toBe(true)
        for (const path of [root, `${root}/a`]) {
          const found = await client.call<ACL[]>((zk, done) => zk.getACL(path, done))
          expect(found.map(({ id }) => id.scheme)).toEqual(['ip'])
        }
        // Another client takes the session over and ends it.
        proxy.cut(true)
        const session = { sessionId: own.getSessionId(), sessionPassword: own.getSessionPassword() }
        const other = await connected(port, session)
        const closed = once(other, 'disconnected')
        other.close()
        await closed
        const expired = once(own, 'expired')
        proxy.cut(false)
        await expired
        await expect(acquire(provider, 'a', 'two')).rejects.toThrow(/session of the ZooKeeper client has ended/)
      })
      await proxy.close()
    }))
})

here('a ZooKeeper that fails', () => {
  let own: TestServer
  beforeAll(async () => {
    const started = await startServer('zookeeper')
    if ('unavailable' in started) throw new Error(started.unavailable)
    own = started
    await using(zookeeper(own.url), async (provider) => await provider.setup?.())
  })
  afterAll(() => own?.stop())

  const port = (): number => Number(new URL(own.url).port)

  it('is an error while it is killed, and knows its locks and ticks when it is back', async () => {
    const [process] = own.processes
    await using(zookeeper(own.url), async (provider) => {
      const tick = Date.now() - 1_000
      const before = await acquire(provider, 'killed', 'one', { tick })
      await process?.kill()
      await expect(acquireSoon(provider, 'killed', 'two')).rejects.toThrow(/can't be reached/)
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
    await using(zookeeper(own.url), async (provider) => {
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
      await using(zookeeper(`zookeeper://127.0.0.1:${proxy.port}`), async (provider) => {
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

  it('is left for the next server of the URL when its connections break', async () => {
    const proxies = [await TcpProxy.to(port()), await TcpProxy.to(port())]
    const [first, second] = proxies as [TcpProxy, TcpProxy]
    try {
      await using(
        zookeeper(`zookeeper://127.0.0.1:1,127.0.0.1:${first.port},127.0.0.1:${second.port}`),
        async (provider) => {
          expect(isGrant(await acquire(provider, 'many', 'one'))).toBe(true)
          first.cut(true)
          expect(await acquire(provider, 'many', 'two')).toMatchObject({ granted: false, reason: 'held' })
          first.cut(false)
          second.cut(true)
          expect(await release(provider, 'many', 'one')).toBe(true)
        },
      )
    } finally {
      for (const proxy of proxies) await proxy.close()
    }
  })

  it('is reached by another session when the first has expired', async () => {
    const proxy = await TcpProxy.to(port())
    try {
      await using(zookeeper(`zookeeper://127.0.0.1:${proxy.port}`), async (provider) => {
        expect(isGrant(await acquire(provider, 'expired', 'one'))).toBe(true)
        proxy.cut(true)
        await until('all sessions have ended', async () =>
          (await fourLetters(own.url, 'dump')).includes('Session Sets (0)'),
        )
        proxy.cut(false)
        expect(await acquire(provider, 'expired', 'two')).toMatchObject({ granted: false, reason: 'held' })
        expect(await release(provider, 'expired', 'one')).toBe(true)
      })
    } finally {
      await proxy.close()
    }
  })

  it('is left for a new connection when it has been silent', async () => {
    const proxy = await TcpProxy.to(port())
    try {
      await using(zookeeper(`zookeeper://127.0.0.1:${proxy.port}`), async (provider) => {
        expect(isGrant(await acquire(provider, 'silent', 'one'))).toBe(true)
        proxy.set('lost', 'lost') // For good on this connection, which nobody closes.
        const lost = acquireOf('silent', 'two')
        await expect(provider.acquire([lost], { timeout: 10_000 })).rejects.toThrow(/did not respond/)
        proxy.set('open', 'open')
        expect(await acquire(provider, 'silent', 'two')).toMatchObject({ granted: false, reason: 'held' })
      })
    } finally {
      await proxy.close()
    }
  })

  it('closes what is under way', async () => {
    const provider = zookeeper(own.url)
    const first = acquire(provider, 'closing', 'one').catch((error: Error) => error)
    await provider.close()
    await provider.close()
    expect(String(await first)).toMatch(/closed/)
    await expect(acquire(provider, 'closing', 'one')).rejects.toThrow(/closed/)
  })
})
