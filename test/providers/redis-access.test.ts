/* What the provider asks of a server: commands that an ACL has to allow, and keys that a script has to declare. */
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { type RedisOptions, redis, redisAccess } from '../../providers/redis/index.ts'
import { redisQuorum } from '../../providers/redis/quorum/redis-quorum.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import type { HistoryEntry } from '../../src/provider/history.ts'
import { extend, granted, newHolder, refused, release, toAcquire } from '../../src/testing/requests.ts'
import { until } from '../servers/until.ts'

const server = inject('servers').redis
const independent = inject('servers')['redis-quorum']

/** Everything that a provider can be asked for. */
async function doAll(provider: LockProvider, spoil: (name: string) => Promise<unknown>): Promise<void> {
  const [holder, bad] = [newHolder('a{b}c'), newHolder('spoilt')]
  const tick = Date.now()
  await granted(provider, holder, { tick })
  await refused(provider, newHolder(holder.name), 'tick-taken', { tick })
  expect(await extend(provider, holder)).toBeDefined()
  expect(await provider.read()).toHaveLength(1)
  expect(await release(provider, holder, { tick })).toBe(true)
  await spoil(bad.name)
  expect((await provider.acquire([toAcquire(bad)]))[0]).toBeInstanceOf(Error)
  expect(await provider.reset({ name: bad.name, maxClockSkew: 0 })).toBe(true)
  await granted(provider, bad)
  await spoil(bad.name)
  expect(await provider.forceRelease(bad.name)).toBe(true)
  for (const paused of [true, false])
    expect((await provider.setPaused?.({ name: bad.name, paused })) ?? true).toBe(true)
  expect(await provider.prune(-60_000)).toBe(2)
  const { history } = provider
  if (!history) return
  const entry: HistoryEntry = {
    ...{ id: randomUUID(), job: 'a{b}c', node: 'n', kind: 'schedule', outcome: 'running', scheduledAt: tick, at: tick },
  }
  await history.write([entry], { label: 'n', startedAt: 1, skew: 0, running: 1, stopped: false })
  await history.write([{ ...entry, outcome: 'succeeded' }])
  for (const query of [{}, { job: entry.job }, { outcome: 'running' }, { changedSince: 1 }] as const)
    await history.read({ ...query, limit: 5 })
  expect(await history.latest([entry.job], 1)).toHaveLength(1)
  expect(await history.nodes()).toHaveLength(1)
  await history.write([{ ...entry, id: randomUUID(), outcome: 'skipped' }])
  expect(await history.trim({ olderThanMs: 3_600_000, most: 1 })).toBe(1)
  expect(await history.trim({ olderThanMs: -60_000, most: 1 })).toBe(1)
}

describe.skipIf('unavailable' in server)('redis', () => {
  if ('unavailable' in server) return
  const admin = new Redis(server.url)
  const user = `user-${randomUUID()}`
  const places = (): Pick<RedisOptions, 'prefix' | 'shedlock'>[] => {
    const prefix = `test-${randomUUID()}:`
    return [{ prefix }, { prefix: `{${prefix}}:` }, { shedlock: `job-lock:${prefix}` }]
  }
  const spoilIn = (place: Pick<RedisOptions, 'prefix' | 'shedlock'>) => async (name: string) => {
    const key = place.prefix === undefined ? `:ticklock:{${place.shedlock}${name}}` : place.prefix + name
    await admin.del(key)
    await admin.set(key, 'garbage')
  }
  afterAll(async () => {
    await admin.call('ACL', 'DELUSER', user)
    admin.disconnect()
  })

  it('needs the commands and the keys of redisAccess(), and no others', async () => {
    for (const place of places()) {
      await admin.call('ACL', 'SETUSER', user, 'reset', 'on', '>word', ...redisAccess(place).split(' '))
      const provider = redis({ url: server.url.replace('redis://', `redis://${user}:word@`), ...place })
      await doAll(provider, spoilIn(place))
      await provider.close()
    }
    const log = (await admin.call('ACL', 'LOG')) as string[][]
    // ioredis also says its own version, and goes on when it may not.
    expect(
      log.filter((entry) => entry.includes(user) && !entry.some((field) => /^client/.test(String(field)))),
    ).toEqual([])
  })

  it('needs each of these commands, but for what its client sends', async () => {
    const [place] = places()
    const rules = redisAccess(place).split(' ')
    const needed = rules.filter((rule) => rule.startsWith('+') && !/info|select|hello|auth|ping|load/.test(rule))
    for (const rule of needed) {
      await admin.call('ACL', 'SETUSER', user, 'reset', 'on', '>word', ...rules, rule.replace('+', '-'))
      const client = new Redis(server.url, { username: user, password: 'word' }).on('error', () => {})
      await admin.script('FLUSH')
      const provider = redis({ client, ...place })
      const error = await doAll(provider, spoilIn(place ?? {})).catch((reason: unknown) => reason)
      expect(String(error), rule).toMatch(/NOPERM|permission|can't run|ACL/i)
      client.disconnect()
      const keys = await admin.keys(`*${place?.prefix}*`)
      if (keys.length > 0) await admin.del(...keys)
    }
  })

  it('touches no key in a script that is not in KEYS', async () => {
    for (const place of places()) {
      const { declared, touched } = await watched(admin, server.url, async () => {
        const provider = redis({ client: admin, ...place })
        await doAll(provider, spoilIn(place))
      })
      expect(touched.size).toBeGreaterThan(5)
      expect([...touched].filter((key) => !declared.has(key))).toEqual([])
    }
  })
})

describe.skipIf('unavailable' in independent)('redis-quorum', () => {
  if ('unavailable' in independent) return
  it('touches no key in a script that is not in KEYS', async () => {
    const prefix = `test-${randomUUID()}:`
    const urls = independent.url.split(',')
    const clients = urls.map((url) => new Redis(url))
    const [first] = clients
    if (!first) throw new Error('no server')
    const { declared, touched } = await watched(first, urls[0] ?? '', async () => {
      const provider = redisQuorum({ servers: clients, prefix, timeout: 5_000 })
      await doAll(provider, (name) => Promise.all(clients.map((client) => client.set(prefix + name, 'garbage'))))
    })
    expect(touched.size).toBeGreaterThan(1)
    expect([...touched].filter((key) => !declared.has(key))).toEqual([])
    for (const client of clients) client.disconnect()
  })
})

/** The keys that scripts declared, and those that they touched, as the server's monitor tells. */
async function watched(client: Redis, url: string, run: () => Promise<void>) {
  const declared = new Set<string>()
  const touched = new Set<string>()
  const end = randomUUID()
  let ended = false
  const connection = new Redis(url)
  const monitor = await connection.monitor()
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    const [command = '', ...rest] = args
    if (rest.includes(end)) ended = true
    if (/^eval/i.test(command)) for (const key of rest.slice(2, 2 + Number(rest[1]))) declared.add(key)
    if (source !== 'lua') return
    if (/^time$/i.test(command)) return
    const isList = /^(mget|exists|del)$/i.test(command)
    const isPairs = /^mset$/i.test(command)
    const keys = isList ? rest : isPairs ? rest.filter((_, index) => index % 2 === 0) : rest.slice(0, 1)
    for (const key of keys) touched.add(key)
  })
  await run()
  await client.echo(end)
  await until('the monitor has told all', async () => ended)
  monitor.disconnect()
  connection.disconnect()
  return { declared, touched }
}
