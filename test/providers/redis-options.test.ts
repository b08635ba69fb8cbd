/* What redis() takes and refuses, and how names become keys: without a server, but for one that never answers. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import fc from 'fast-check'
import { Cluster, Redis } from 'ioredis'
import { describe, expect, inject, it } from 'vitest'
import { keySpace, sharedKeySpace } from '../../providers/redis/keys.ts'
import { redis } from '../../providers/redis/redis.ts'
import { parseRedisUrl } from '../../providers/redis/url.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { acquireAll, granted, newHolder, release, toAcquire } from '../../src/testing/requests.ts'

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

  it.each([keySpace, sharedKeySpace])('lead back to its name, and are no keys of another name', (spaceOf) => {
    const owners = new Map<string, string>()
    fc.assert(
      fc.property(fc.constantFrom(...PREFIXES), fc.oneof(hardText, fc.constantFrom(...ODD_NAMES)), (prefix, name) => {
        const space = spaceOf(prefix)
        const { record, shedLock } = space.keysOf(name)
        for (const [part, key] of Object.entries({ record, shedLock })) {
          if (key === undefined) continue
          expect(space.nameOf(key)).toEqual(name)
          const owner = JSON.stringify([part, name])
          expect(owners.get(prefix + key) ?? owner).toBe(owner)
          owners.set(prefix + key, owner)
        }
      }),
      { numRuns: 5_000 },
    )
  })

  it("lie as documented, and are ShedLock's where locks are shared with it", () => {
    expect(keySpace('ticklock:').keysOf('a}b')).toMatchObject({ record: 'ticklock:a}b', shedLock: undefined })
    const { keysOf } = sharedKeySpace('job-lock:default:')
    expect(keysOf('report')).toMatchObject({
      shedLock: 'job-lock:default:report',
      record: ':ticklock:{job-lock:default:report}',
    })
    expect(keysOf('a{b}c')).toMatchObject({
      shedLock: 'job-lock:default:a{b}c',
      record: ':ticklock:job-lock:default:a{b}c',
    })
    expect(keysOf('a}b')).toMatchObject({
      shedLock: 'job-lock:default:a%7Db',
      record: ':ticklock:{job-lock:default:a%7Db}',
    })
  })

  it('are not made of a prefix under which they could not be told apart', () => {
    for (const prefix of ['', ':a', 'a}', 'a{', '{}', '{a}{b}', '{a}}', 5 as never]) {
      expect(() => keySpace(prefix), String(prefix)).toThrow(InvalidOptionError)
      expect(() => sharedKeySpace(prefix), String(prefix)).toThrow(InvalidOptionError)
    }
  })

  const cluster = inject('servers')['redis-cluster']
  it.skipIf('unavailable' in cluster)('lie in one slot of a cluster, and are found by their names', async () => {
    if ('unavailable' in cluster) return
    const hosts = cluster.url.replace('redis+cluster://', '').split(',')
    const client = new Cluster(hosts.map((host) => `redis://${host}`))
    try {
      const prefixes = [`test-${randomUUID()}:`, `{test-${randomUUID()}}:`]
      const places = prefixes.flatMap((prefix) => [{ prefix }, { shedlock: `shared-${prefix}` }])
      for (const place of places) {
        const provider = redis({ client, ...place })
        const { keysOf } = place.prefix ? keySpace(place.prefix) : sharedKeySpace(place.shedlock ?? '')
        for (const { record, shedLock, slot } of ODD_NAMES.map(keysOf)) {
          for (const key of [shedLock ?? record, slot === '' ? record : `{${slot}}`])
            if (!slot.includes('}'))
              expect(await client.cluster('KEYSLOT', record), record).toBe(await client.cluster('KEYSLOT', key))
        }
        const holders = ODD_NAMES.map(newHolder)
        const results = await acquireAll(
          provider,
          holders.map((holder) => toAcquire(holder, { tick: 1 })),
        )
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
    redis({ client: new Redis(lazily), prefix: 'jobs:' })
    redis({ client: new Redis(lazily), shedlock: true })
    redis({ client: new Redis(lazily), shedlock: 'job-lock:production:' })
    redis('redis://localhost:6379')
    redis({ url: 'rediss://user:secret@localhost/2' })
  })

  it('refuses anything else, and says what it takes', () => {
    const refusals: [input: unknown, message: RegExp][] = [
      [undefined, /a client of ioredis, a URL or options/],
      [{}, /exactly one of client and url/],
      [{ url: 'redis://localhost', client: new Redis(lazily) }, /exactly one of client and url/],
      [{ url: 'redis://localhost', prefx: 'a:' }, /unknown option "prefx"/],
      [{ url: 5 }, /url must be/],
      [{ client: {} }, /client must be/],
      [{ url: 'redis://localhost', prefix: 'a}' }, /prefix must be/],
      [{ url: 'redis://localhost', shedlock: 'a}' }, /shedlock must be/],
      [{ url: 'redis://localhost', shedlock: 5 }, /shedlock must be/],
      [{ url: 'redis://localhost', shedlock: true, prefix: 'a:' }, /either prefix or shedlock/],
      [new Redis({ ...lazily, keyPrefix: 'app:' }), /keyPrefix.*prefix: "app:ticklock:"/],
      [new Cluster([{ host: '127.0.0.1' }], { ...lazily, redisOptions: { keyPrefix: 'app:' } }), /keyPrefix/],
    ]
    for (const [input, message] of refusals) {
      expect(() => redis(input as string), String(message)).toThrow(InvalidOptionError)
      expect(() => redis(input as string)).toThrow(message)
    }
  })

  it('reads the URLs of a server, a socket, Sentinel and a cluster', () => {
    const none = { username: undefined, password: undefined, tls: undefined, family: undefined }
    const at = (host: string, port = 6_379) => [{ host, port }]
    const tls = { ca: undefined, verify: true }
    const urls: [url: string, address: object][] = [
      ['redis://', { kind: 'single', hosts: at('localhost'), db: 0 }],
      ['redis://h', { kind: 'single', hosts: at('h'), db: 0 }],
      ['redis://h/', { kind: 'single', hosts: at('h'), db: 0 }],
      ['redis://h:1/15', { kind: 'single', hosts: at('h', 1), db: 15 }],
      ['redis://h?db=3&family=6', { kind: 'single', hosts: at('h'), db: 3, family: 6 }],
      ['redis://:p@ss:w%2Ford@[::1]:2', { kind: 'single', password: 'p@ss:w/ord', hosts: at('::1', 2), db: 0 }],
      ['redis://user:100%@h', { kind: 'single', username: 'user', password: '100%', hosts: at('h'), db: 0 }],
      ['rediss://h', { kind: 'single', hosts: at('h'), db: 0, tls }],
      ['rediss://h?ca=/a%20b.pem', { kind: 'single', hosts: at('h'), db: 0, tls: { ca: '/a b.pem', verify: true } }],
      ['rediss://h?verify=none', { kind: 'single', hosts: at('h'), db: 0, tls: { ca: undefined, verify: false } }],
      ['redis+unix:///run/redis.sock', { kind: 'socket', path: '/run/redis.sock', db: 0 }],
      ['redis+unix://u:p@/a%20b?db=2', { kind: 'socket', username: 'u', password: 'p', path: '/a b', db: 2 }],
      [
        'redis+sentinel://:p%40ss:word@h1,h2:26380,[::1]:26381/main/3',
        {
          kind: 'sentinel',
          password: 'p@ss:word',
          hosts: [...at('h1', 26_379), ...at('h2', 26_380), ...at('::1', 26_381)],
          master: 'main',
          db: 3,
        },
      ],
      ['redis+sentinel://h/main', { kind: 'sentinel', hosts: at('h', 26_379), master: 'main', db: 0 }],
      [
        'rediss+cluster://user:secret@h1:7000,h2',
        {
          kind: 'cluster',
          username: 'user',
          password: 'secret',
          tls,
          hosts: [...at('h1', 7_000), ...at('h2')],
        },
      ],
    ]
    for (const [url, address] of urls) expect(parseRedisUrl(url), url).toEqual({ ...none, ...address })
  })

  it('refuses a URL that it cannot read, without telling the password', () => {
    const urls: [url: string, message: RegExp][] = [
      ['http://u:secret@h', /url must be/],
      ['redis:h', /url must be/],
      ['redis://u:secret@h:port', /url must be/],
      ['redis://u:secret@h,h2', /url must be/],
      ['redis://u:secret@h/0/1', /url must be/],
      ['redis://u:secret@h/jobs', /the db of url must be a number, but is "jobs"/],
      ['redis://u:secret@h/-1', /the db of url/],
      ['redis://u:secret@h?keyPrefix=a', /the parameter "keyPrefix", but only ca, verify, family, db/],
      ['redis://u:secret@h?family=5', /the family of url/],
      ['redis://u:secret@h?ca=/a.pem', /need TLS: begin it with 'rediss'/],
      ['rediss://u:secret@h?verify=no', /'ca=FILE' and 'verify=none'/],
      ['rediss://u:secret@h?ca=', /'ca=FILE' and 'verify=none'/],
      ['redis+unix://u:secret@h/a', /url must be/],
      ['redis+unix://', /url must be/],
      ['rediss+unix:///a', /url must be/],
      ['redis+sentinel://u:secret@h:1', /url must be/],
      ['redis+cluster://u:secret@h/0', /url must be/],
      ['redis+cluster://u:secret@h?db=1', /url must be/],
      ['redis+cluster://u:secret@h,,h2', /url must be/],
      ['', /url must be/],
    ]
    for (const [url, message] of urls) {
      expect(() => redis(url), url).toThrow(InvalidOptionError)
      expect(() => redis(url), url).toThrow(message)
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
