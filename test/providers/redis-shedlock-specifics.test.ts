/* What is particular to locks that are shared with ShedLock: its own key, changed by it and by hand, and many nodes of both kinds. */
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { sharedKeySpace } from '../../providers/redis/keys.ts'
import { redis } from '../../providers/redis/redis.ts'
import { acquire, extend, granted, newHolder, readAll, refused, release, SHORT_MS } from '../../src/testing/requests.ts'
import { until } from '../servers/until.ts'

const server = inject('servers').redis
const OTHER = 'ADDED:2024-05-01T10:00:00.000Z@jvm-host:4f0c'

describe.skipIf('unavailable' in server)('redis, shared with ShedLock', () => {
  if ('unavailable' in server) return
  const client = new Redis(server.url)
  const prefix = `test-${randomUUID()}:`
  const provider = redis({ client, shedlock: prefix })
  const { keysOf } = sharedKeySpace(prefix)
  const aHolder = () => newHolder(randomUUID())
  /** The key and value that ShedLock's RedisLockProvider writes. */
  const shedLockTakes = (name: string, ms: number, holder = OTHER) => client.set(prefix + name, holder, 'PX', ms, 'NX')
  afterAll(async () => {
    const keys = await client.keys(`*${prefix}*`)
    if (keys.length > 0) await client.del(...keys)
    client.disconnect()
  })

  it('has the lock under the key at which ShedLock looks', async () => {
    const holder = aHolder()
    await granted(provider, holder)
    expect(await shedLockTakes(holder.name, 60_000)).toBeNull()
    await release(provider, holder)
    expect(await shedLockTakes(holder.name, 60_000)).toBe('OK')
  })

  it('reads a lock that only ShedLock ever took: by name, among all, and as the refusal', async () => {
    const holder = aHolder()
    await shedLockTakes(holder.name, 60_000)
    const expected = {
      name: holder.name,
      lockedBy: OTHER,
      lockedAt: Date.UTC(2024, 4, 1, 10),
      fencingToken: 0,
      lastTick: undefined,
    }
    const { record } = await refused(provider, holder, 'held')
    const [byName] = await readAll(provider, [holder.name])
    const amongAll = (await readAll(provider)).find(({ name }) => name === holder.name)
    for (const found of [record, byName, amongAll]) {
      expect(found).toMatchObject(expected)
      expect((found?.lockUntil ?? 0) - (found?.storeTime ?? 0)).toBeGreaterThan(50_000)
    }
  })

  it('remembers ticks and tokens while ShedLock has the lock, and after', async () => {
    const holder = aHolder()
    const tick = Date.now()
    const before = await granted(provider, holder, { tick })
    await release(provider, holder, { tick })
    await shedLockTakes(holder.name, 60_000)
    await refused(provider, newHolder(holder.name), 'held', { tick: tick + 1 })
    await client.del(prefix + holder.name)
    await refused(provider, newHolder(holder.name), 'tick-taken', { tick })
    const after = await granted(provider, newHolder(holder.name), { tick: tick + 1 })
    expect(after.fencingToken).toBeGreaterThan(before.fencingToken)
  })

  it('loses a lease whose key ShedLock deletes or takes over', async () => {
    const [deleted, taken] = [aHolder(), aHolder()]
    await granted(provider, deleted)
    await granted(provider, taken)
    await client.del(prefix + deleted.name)
    await client.set(prefix + taken.name, 'ADDED:now@jvm-host:4f0c', 'PX', 60_000)
    for (const holder of [deleted, taken]) {
      expect(await extend(provider, holder)).toBeUndefined()
      expect(await release(provider, holder)).toBe(false)
    }
    await granted(provider, newHolder(deleted.name))
    await refused(provider, newHolder(taken.name), 'held')
  })

  it('holds a key without expiry for ever, until it is freed by force', async () => {
    const { name } = aHolder()
    await client.set(prefix + name, 'maintenance')
    const { record } = await refused(provider, newHolder(name), 'held')
    expect(new Date(record?.lockUntil ?? Number.NaN).getUTCFullYear()).toBeGreaterThan(200_000)
    expect(await provider.forceRelease(name)).toBe(true)
    await granted(provider, newHolder(name))
  })

  it('pauses a name that ShedLock has locked, and leaves the lock alone', async () => {
    const { name } = aHolder()
    await shedLockTakes(name, 60_000)
    expect(await provider.setPaused?.({ name, paused: true })).toBe(true)
    expect(await client.get(prefix + name)).toBe(OTHER)
    expect(await client.pttl(prefix + name)).toBeLessThanOrEqual(60_000)
    await client.del(prefix + name)
    await refused(provider, newHolder(name), 'paused', { tick: Date.now() })
    await granted(provider, newHolder(name))
  })

  it('gives nobody the lease when the record is gone, and frees it when the key ends', async () => {
    const holder = aHolder()
    await granted(provider, holder)
    await client.del(keysOf(holder.name).record)
    await refused(provider, holder, 'held')
    expect(await extend(provider, holder)).toBeUndefined()
    expect(await release(provider, holder)).toBe(false)
    await client.pexpire(prefix + holder.name, SHORT_MS)
    await until('the key ended', async () => (await client.exists(prefix + holder.name)) === 0)
    await granted(provider, newHolder(holder.name))
  })

  // PEXPIRETIME came with Redis 7.
  const knowsExpiry = Number(/\d+/.exec(server.version)?.[0]) >= 7
  it.runIf(knowsExpiry)(
    'ends a lease with its key, to the millisecond, through which a key of Redis lasts',
    async () => {
      const holder = aHolder()
      const lastMs = async () => Number(await client.call('PEXPIRETIME', prefix + holder.name))
      const lease = await granted(provider, holder)
      expect(lease.lockUntil).toBe((await lastMs()) + 1)
      const longer = await extend(provider, holder, { lockAtMostFor: 90_000 })
      expect(longer?.lockUntil).toBe((await lastMs()) + 1)
      await release(provider, holder, { lockAtLeastFor: 30_000 })
      const [released] = await readAll(provider, [holder.name])
      expect(released?.lockUntil).toBe((await lastMs()) + 1)
    },
  )

  it('never lets a key go before its lease, also one of a millisecond', async () => {
    for (let turn = 0; turn < 300; turn++) {
      const holder = aHolder()
      const { acquiredAt } = await granted(provider, holder)
      expect(await release(provider, holder, { lockAtLeastFor: 1 })).toBe(true)
      if ((await shedLockTakes(holder.name, 60_000)) !== 'OK') continue
      const { record } = await refused(provider, newHolder(holder.name), 'held')
      expect(record?.storeTime).toBeGreaterThanOrEqual(acquiredAt + 1)
    }
  })

  it('grants each lock once to nodes of both kinds that ask again and again, whichever is first', async () => {
    const names = Array.from({ length: 5 }, () => randomUUID())
    const now = async () => {
      const [seconds, micros] = (await client.time()) as unknown as [string, string]
      return Number(seconds) * 1_000 + Number(micros) / 1_000
    }
    /** When somebody knew of its lock, and when it began to give it back, by the one clock of this process. */
    const held: { readonly name: string; readonly from: number; readonly to: number; readonly kind: string }[] = []
    const deadline = performance.now() + 1_500
    const ours = async (seed: number) => {
      for (let turn = seed; performance.now() < deadline; turn++) {
        const holder = newHolder(names[turn % names.length] ?? '')
        const result = await acquire(provider, holder, { lockAtMostFor: 30_000 })
        if (!result.granted) continue
        const from = performance.now()
        await now()
        const to = performance.now()
        expect(await release(provider, holder)).toBe(true)
        held.push({ name: holder.name, from, to, kind: 'ticklock' })
      }
    }
    const theirs = async (seed: number) => {
      for (let turn = seed; performance.now() < deadline; turn++) {
        const name = names[turn % names.length] ?? ''
        const value = `ADDED:2024-05-01T10:00:00.000Z@jvm-host:${randomUUID()}`
        if ((await shedLockTakes(name, 30_000, value)) !== 'OK') continue
        const from = performance.now()
        await now()
        const to = performance.now()
        // With safeUpdate, ShedLock deletes its own value only.
        const safely = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0"
        expect(await client.eval(safely, 1, prefix + name, value)).toBe(1)
        held.push({ name, from, to, kind: 'ShedLock' })
      }
    }
    await Promise.all([ours(0), ours(1), ours(2), theirs(0), theirs(1), theirs(2)])
    for (const kind of ['ticklock', 'ShedLock'])
      expect(held.filter((each) => each.kind === kind).length, kind).toBeGreaterThan(10)
    for (const name of names) {
      const inOrder = held.filter((each) => each.name === name).sort((a, b) => a.from - b.from)
      for (const [index, each] of inOrder.entries()) {
        const next = inOrder[index + 1]
        if (next) expect(next.from, 'two held one lock').toBeGreaterThanOrEqual(each.to)
      }
    }
  })
})
