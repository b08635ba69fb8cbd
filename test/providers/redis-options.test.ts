/* What redis() takes and refuses, and how names become keys: without a server, but for one that never answers. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import fc from 'fast-check'
import { Cluster, Redis } from 'ioredis'
import { describe, expect, inject, it } from 'vitest'
import { keySpace } from '../../providers/redis/keys.ts'
import { redis } from '../../providers/redis/redis.ts'
import { parseRedisUrl } from '../../providers/redis/url.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { granted, newHolder, release, toAcquire } from '../../src/testing/asking.ts'

/** Names that a cluster hashes by a part of them, or by all of them though they look otherwise, or that look like keys of ours. */
const ODD_NAMES = [
  'plain',
  'a{b}c',
  'a{b',
  'a}b',
  'a{}b',
  'a{}{b}',
  'a}{b}',
  '{a}',
  '{a}:state',
  '{{a}}',
  'a{b}{c}',
  '}a{',
  '{',
  '}',
  '{}',
  '100%',
  'a%7Db',
  'a%257Db',
  'a%7Db}',
  ':state:a',
  'a}:state',
  ' ü→{é}*?[x]\\',
  '',
]

const PREFIXES = ['ticklock:', 'job-lock:default:', '{jobs}:', 'a{jobs}b', '{state}:state:', 'x', 'p*[?]\\:']

describe('the keys of a lock', () => {
  const hardText = fc.string({
    unit: fc.constantFrom('{', '}', ':', '%', '7', 'D', 'B', '2', '5', 'state', 'a', '*', 'ü'),
  })

  it('lead back to its name, and are no keys of another name', () => {
    const owners = new Map<string, string>()
    fc.assert(
      fc.property(fc.constantFrom(...PREFIXES), fc.oneof(hardText, fc.constantFrom(...ODD_NAMES)), (prefix, name) => {
        const space = keySpace(prefix)
        const { lock, state } = space.keysOf(name)
        for (const [part, key] of Object.entries({ lock, state })) {
          expect(space.parse(key)).toEqual({ name, part })
          const owner = JSON.stringify([part, name])
          expect(owners.get(prefix + key) ?? owner).toBe(owner)
          owners.set(prefix + key, owner)
        }
      }),
      { numRuns: 5_000 },
    )
  })

  it("are ShedLock's, and lie as documented", () => {
    const { keysOf } = keySpace('job-lock:default:')
    expect(keysOf('report')).toMatchObject({
      lock: 'job-lock:default:report',
      state: '{job-lock:default:report}:state',
    })
    expect(keysOf('a{b}c')).toMatchObject({ lock: 'job-lock:default:a{b}c', state: ':state:job-lock:default:a{b}c' })
    expect(keysOf('a}b')).toMatchObject({ lock: 'job-lock:default:a%7Db', state: '{job-lock:default:a%7Db}:state' })
  })

  it('are not made of a prefix under which they could not be told apart', () => {
    for (const prefix of ['', ':a', 'a}', 'a{', '{}', '{a}{b}', '{a}}', 5 as never]) {
      expect(() => keySpace(prefix), String(prefix)).toThrow(InvalidOptionError)
    }
  })

  const cluster = inject('servers')['redis-cluster']
  it.skipIf('unavailable' in cluster)('lie in one slot of a cluster, and are found by their names', async () => {
    if ('unavailable' in cluster) return
    const hosts = cluster.url.replace('redis+cluster://', '').split(',')
    const client = new Cluster(hosts.map((host) => `redis://${host}`))
    try {
      for (const prefix of [`test-${randomUUID()}:`, `{test-${randomUUID()}}:`]) {
        const provider = redis({ client, prefix })
        for (const { lock, state } of ODD_NAMES.map(keySpace(prefix).keysOf)) {
          expect(await client.cluster('KEYSLOT', state), state).toBe(await client.cluster('KEYSLOT', lock))
        }
        const holders = ODD_NAMES.map(newHolder)
        const results = await provider.acquire(holders.map((holder) => toAcquire(holder, { tick: 1 })))
        expect(results.every((result) => result.granted)).toBe(true)
        expect((await provider.read()).map(({ name }) => name)).toEqual([...ODD_NAMES].sort())
        for (const holder of holders) expect(await release(provider, holder)).toBe(true)
        expect(await provider.prune(0)).toBe(ODD_NAMES.length)
        expect(await provider.read()).toEqual([])
      }
    } finally {
      client.disconnect()
    }
  })
})

describe('redis()', () => {
  const lazily = { lazyConnect: true }

  it('takes a client of ioredis, a URL, or options', () => {
    redis(new Redis(lazily))
    redis(new Cluster([{ host: '127.0.0.1' }], lazily))
    redis({ client: new Redis(lazily), prefix: 'job-lock:default:' })
    redis('redis://localhost:6379')
    redis({ url: 'rediss://user:secret@localhost/2' })
  })

  it('refuses anything else, and says what it takes', () => {
    const refusals: [input: unknown, message: RegExp][] = [
      [undefined, /a client of ioredis, a URL or options/],
      [{}, /either client or url/],
      [{ url: 'redis://localhost', client: new Redis(lazily) }, /either client or url/],
      [{ url: 'redis://localhost', prefx: 'a:' }, /no option "prefx"/],
      [{ url: 5 }, /url must be/],
      [{ client: {} }, /client must be/],
      [{ url: 'redis://localhost', prefix: 'a}' }, /prefix must be/],
      [new Redis({ ...lazily, keyPrefix: 'app:' }), /keyPrefix.*prefix: "app:ticklock:"/],
      [new Cluster([{ host: '127.0.0.1' }], { ...lazily, redisOptions: { keyPrefix: 'app:' } }), /keyPrefix/],
    ]
    for (const [input, message] of refusals) {
      expect(() => redis(input as string), String(message)).toThrow(InvalidOptionError)
      expect(() => redis(input as string)).toThrow(message)
    }
  })

  it('reads the URLs of Sentinel and a cluster', () => {
    const login = { username: undefined, password: undefined, tls: false }
    expect(parseRedisUrl('redis+sentinel://:p%40ss:word@h1,h2:26380,[::1]:26381/main/3')).toEqual({
      ...login,
      kind: 'sentinel',
      password: 'p@ss:word',
      hosts: [
        { host: 'h1', port: 26_379 },
        { host: 'h2', port: 26_380 },
        { host: '::1', port: 26_381 },
      ],
      master: 'main',
      db: 3,
    })
    expect(parseRedisUrl('rediss+cluster://user:secret@h1:7000,h2')).toEqual({
      kind: 'cluster',
      username: 'user',
      password: 'secret',
      tls: true,
      hosts: [
        { host: 'h1', port: 7_000 },
        { host: 'h2', port: 6_379 },
      ],
    })
  })

  it('refuses a URL that it cannot read, without telling the password', () => {
    const urls = [
      'http://u:secret@h',
      'redis://u:secret@h:port',
      'redis+sentinel://u:secret@h:1',
      'redis+cluster://u:secret@h/0',
      '',
    ]
    for (const url of urls) {
      expect(() => redis(url), url).toThrow(/url must be/)
      expect(() => redis(url), url).not.toThrow(/secret/)
    }
  })

  it('closes its own client, at any time and as often as one likes, and then fails', async () => {
    const unused = redis('redis://127.0.0.1:1')
    await unused.close()
    await unused.close()
    await expect(unused.acquire([toAcquire(newHolder('a'))])).rejects.toThrow('closed')

    const server = inject('servers').redis
    if ('unavailable' in server) return
    const used = redis({ url: server.url, prefix: `test-${randomUUID()}:` })
    const holder = newHolder('a')
    await granted(used, holder)
    expect(await used.forceRelease('a')).toBe(true)
    expect(await used.prune(-1)).toBe(1)
    await Promise.all([used.close(), used.close()])
    await expect(used.read(['a'])).rejects.toThrow('closed')
  })

  it('fails when a server takes connections but never answers', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const providers = [redis(`redis://127.0.0.1:${port}`), redis(`redis+cluster://127.0.0.1:${port}`)]
    try {
      await Promise.all(
        providers.map((provider) => expect(provider.acquire([toAcquire(newHolder('a'))])).rejects.toThrow(Error)),
      )
    } finally {
      await Promise.all(providers.map((provider) => provider.close()))
      silent.close()
    }
  })
})
