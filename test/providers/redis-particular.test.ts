/* What is particular to Redis: other writers' keys, forgotten scripts, cut batches, replicas, keys changed by hand. */
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { keySpace } from '../../providers/redis/keys.ts'
import { redis } from '../../providers/redis/redis.ts'
import {
  extend,
  granted,
  newHolder,
  refused,
  release,
  SHORT_MS,
  toAcquire,
  toRelease,
} from '../../src/testing/asking.ts'
import { until } from '../servers/until.ts'

const server = inject('servers').redis
const sentinel = inject('servers')['redis-sentinel']
const DAY_MS = 86_400_000

describe.skipIf('unavailable' in server)('redis', () => {
  if ('unavailable' in server) return
  const client = new Redis(server.url)
  const prefix = `test-${randomUUID()}:`
  const provider = redis({ client, prefix })
  const { keysOf } = keySpace(prefix)
  const aHolder = () => newHolder(randomUUID())
  /** A provider whose calls of a script by its hash go through this. */
  const through = (
    watch: (keyCount: number, args: readonly string[], call: () => Promise<unknown>) => Promise<unknown>,
  ) =>
    redis({
      prefix,
      client: {
        evalsha: (sha, keyCount, ...args) => watch(keyCount, args, () => client.evalsha(sha, keyCount, ...args)),
        eval: (script, keyCount, ...args) => client.eval(script, keyCount, ...args),
        scan: (...args) => client.scan(...args),
        ping: () => client.ping(),
        script: (load, text) => client.script(load, text),
      },
    })
  afterAll(async () => {
    const keys = await client.keys(`*${prefix}*`)
    if (keys.length > 0) await client.del(...keys)
    client.disconnect()
  })

  describe('beside ShedLock', () => {
    // The key and value that ShedLock's RedisLockProvider writes, and how it unlocks by default: without a look at the value.
    const shedLockTakes = (name: string, ms: number) =>
      client.set(prefix + name, 'ADDED:2024-05-01T10:00:00.000Z@jvm-host:4f0c', 'PX', ms, 'NX')

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
        lockedBy: 'ADDED:2024-05-01T10:00:00.000Z@jvm-host:4f0c',
        lockedAt: Date.UTC(2024, 4, 1, 10),
        fencingToken: 0,
        lastTick: undefined,
      }
      const { record } = await refused(provider, holder, 'held')
      const [byName] = await provider.read([holder.name])
      const amongAll = (await provider.read()).find(({ name }) => name === holder.name)
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
  })

  describe('keys that somebody changed by hand', () => {
    it('holds a key without expiry for ever, whoever wrote it', async () => {
      const [ours, theirs] = [aHolder(), aHolder()]
      await granted(provider, ours)
      await client.persist(prefix + ours.name)
      await client.set(prefix + theirs.name, 'maintenance')
      for (const { name } of [ours, theirs]) {
        const { record } = await refused(provider, newHolder(name), 'held')
        expect(new Date(record?.lockUntil ?? Number.NaN).getUTCFullYear()).toBeGreaterThan(200_000)
        expect(await provider.forceRelease(name)).toBe(true)
        await granted(provider, newHolder(name))
      }
    })

    it('obeys an expiry that was made longer', async () => {
      const holder = aHolder()
      await granted(provider, holder, { lockAtMostFor: 60_000 })
      await client.pexpire(prefix + holder.name, 600_000)
      const { record } = await refused(provider, newHolder(holder.name), 'held')
      expect((record?.lockUntil ?? 0) - (record?.storeTime ?? 0)).toBeGreaterThan(500_000)
    })

    it('gives nobody the lease when the state was evicted, and frees it when the key ends', async () => {
      const holder = aHolder()
      await granted(provider, holder)
      await client.del(keysOf(holder.name).state)
      await refused(provider, holder, 'held')
      expect(await extend(provider, holder)).toBeUndefined()
      expect(await release(provider, holder)).toBe(false)
      await client.pexpire(prefix + holder.name, SHORT_MS)
      await until('the key ended', async () => (await client.exists(prefix + holder.name)) === 0)
      await granted(provider, newHolder(holder.name))
    })

    it('takes no list or hash of others for a lock, but fails when it is asked for', async () => {
      const holder = aHolder()
      await client.rpush(prefix + holder.name, 'not a lock')
      await expect(provider.acquire([toAcquire(holder)])).rejects.toThrow('WRONGTYPE')
      expect(await provider.read([holder.name])).toEqual([])
      expect((await provider.read()).some(({ name }) => name === holder.name)).toBe(false)
      await client.del(prefix + holder.name)
    })
  })

  describe('a tick', () => {
    /** How many commands the server carried out for it, besides the script itself, TIME, and the write that proves that it is a master. */
    const commandsOf = async (what: () => Promise<unknown>): Promise<number> => {
      const done = async () => Number(/total_commands_processed:(\d+)/.exec(await client.info('stats'))?.[1])
      const before = await done()
      await what()
      // The first INFO counts, the second doesn't count itself.
      return (await done()) - before - 1 - 3
    }

    it('that another node has taken costs one command, one that is granted and given back costs eight', async () => {
      const [earlier, tick] = [aHolder(), Date.now()]
      await granted(provider, earlier, { tick: tick - 1_000 })
      await release(provider, earlier, { tick: tick - 1_000 })
      const holder = newHolder(earlier.name)
      expect(await commandsOf(() => granted(provider, holder, { tick }))).toBe(4)
      expect(await commandsOf(() => refused(provider, newHolder(holder.name), 'tick-taken', { tick }))).toBe(1)
      expect(await commandsOf(() => release(provider, holder, { tick }))).toBe(4)
      expect(await commandsOf(() => refused(provider, newHolder(holder.name), 'tick-taken', { tick }))).toBe(1)
    })

    it('of a batch costs one command, besides seven for all of them, and none where another node has taken it, besides one', async () => {
      const [earlier, tick] = [Array.from({ length: 50 }, aHolder), Date.now()]
      await provider.acquire(earlier.map((holder) => toAcquire(holder, { tick: tick - 1_000 })))
      await provider.release(earlier.map((holder) => toRelease(holder, { tick: tick - 1_000 })))
      const holders = earlier.map(({ name }) => newHolder(name))
      const others = earlier.map(({ name }) => newHolder(name))
      const ask = (by: readonly ReturnType<typeof newHolder>[], lockAtMostFor = 60_000) =>
        commandsOf(() => provider.acquire(by.map((holder) => toAcquire(holder, { tick, lockAtMostFor }))))
      expect(await ask(holders)).toBe(50 + 3)
      expect(await ask(others)).toBe(1)
      const releases = holders.map((holder) => toRelease(holder, { tick }))
      expect(await commandsOf(() => provider.release(releases))).toBe(4)
      expect(await ask(others)).toBe(1)
    })

    it('of a batch of short leases costs one command more for all of them', async () => {
      const [holders, tick] = [Array.from({ length: 50 }, aHolder), Date.now()]
      for (const [at, lockAtMostFor] of [60_000, 500].entries()) {
        const requests = holders.map(({ name }) => toAcquire(newHolder(name), { tick: tick + at, lockAtMostFor }))
        await Promise.all(holders.map(({ name }) => provider.forceRelease(name)))
        // Of a name without a state the server is asked what else may stand there: its lock key and its state key.
        expect(await commandsOf(() => provider.acquire(requests))).toBe(at === 0 ? 50 + 3 + 2 * 50 : 50 + 4)
      }
    })

    it('is remembered whatever other names are asked for first', async () => {
      const grouped = redis({ client, prefix: `{${randomUUID()}}:` })
      const tick = Date.now()
      const names = ['c', 'c#', '#c', 'c:state', ':none:c', 'v{1}x', 'v{1}x#']
      const ask = (name: string) => grouped.acquire([toAcquire(newHolder(name), { tick, lockAtMostFor: 60_000 })])
      for (const name of names) expect(await ask(name)).toMatchObject([{ granted: true }])
      for (const first of names) {
        await ask(first)
        for (const name of names)
          expect(await ask(name), `${name} after ${first}`).toMatchObject([{ reason: 'tick-taken' }])
      }
    })

    it('is remembered for ever, also when the name took none before', async () => {
      const holder = aHolder()
      const ttl = (): Promise<number> => client.pttl(keysOf(holder.name).state)
      await granted(provider, holder)
      await release(provider, holder)
      expect(await ttl()).toBeGreaterThan(0)
      await granted(provider, newHolder(holder.name), { tick: Date.now() })
      expect(await ttl()).toBe(-1)
    })
  })

  it('is asked in the words of its version: before 6.2 there is no PXAT', async () => {
    const old = new Proxy(client, {
      get(target, property) {
        if (property === 'evalsha') return () => Promise.reject(new Error('NOSCRIPT No matching script'))
        if (property === 'eval')
          return (text: string, keys: number, ...rest: string[]) =>
            target.eval(text.replaceAll("'PXAT'", "'NO-SUCH-OPTION'"), keys, ...rest)
        const value: unknown = Reflect.get(target, property, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const provider = redis({ client: old, prefix })
    const holder = aHolder()
    await granted(provider, holder, { lockAtMostFor: 60_000 })
    const left = await client.pttl(prefix + holder.name)
    expect(left).toBeGreaterThan(50_000)
    expect(left).toBeLessThanOrEqual(60_001)
    await refused(provider, newHolder(holder.name), 'held')
    expect(await release(provider, holder)).toBe(true)
    await granted(provider, newHolder(holder.name))
  })

  describe('the end of a lease', () => {
    // PEXPIRETIME came with Redis 7.
    const knowsExpiry = Number(/\d+/.exec(server.version)?.[0]) >= 7
    it.runIf(knowsExpiry)('is the end of its key, to the millisecond, through which a key of Redis lasts', async () => {
      const holder = aHolder()
      const lastMs = async () => Number(await client.call('PEXPIRETIME', prefix + holder.name))
      const lease = await granted(provider, holder)
      expect(lease.lockUntil).toBe((await lastMs()) + 1)
      const longer = await extend(provider, holder, { lockAtMostFor: 90_000 })
      expect(longer?.lockUntil).toBe((await lastMs()) + 1)
      await release(provider, holder, { lockAtLeastFor: 30_000 })
      const [released] = await provider.read([holder.name])
      expect(released?.lockUntil).toBe((await lastMs()) + 1)
    })

    it('is not before it was told, also when it is told in its last millisecond', async () => {
      for (let turn = 0; turn < 500; turn++) {
        const holder = aHolder()
        const { acquiredAt } = await granted(provider, holder)
        // Over a millisecond after the acquisition: often within the present millisecond of the clock.
        expect(await release(provider, holder, { lockAtLeastFor: 1 })).toBe(true)
        const [next] = await provider.acquire([toAcquire(newHolder(holder.name))])
        if (next?.granted) expect(next.lease.acquiredAt).toBeGreaterThanOrEqual(acquiredAt + 1)
      }
    })

    it('is the moment of a forced release', async () => {
      const holder = aHolder()
      await granted(provider, holder)
      expect(await provider.forceRelease(holder.name)).toBe(true)
      const [first] = await provider.read([holder.name])
      const [second] = await provider.read([holder.name])
      expect(second?.storeTime).toBeGreaterThan(first?.storeTime ?? 0)
      expect(second?.lockUntil).toBe(first?.lockUntil)
    })
  })

  describe('what stays in Redis', () => {
    const stateTtl = (name: string) => client.pttl(keysOf(name).state)

    it('keeps the state of a name that takes ticks for ever', async () => {
      const holder = aHolder()
      await granted(provider, holder)
      expect(await stateTtl(holder.name)).toBeGreaterThan(DAY_MS - 60_000)
      await release(provider, holder)
      await granted(provider, newHolder(holder.name), { tick: Date.now() })
      expect(await stateTtl(holder.name)).toBe(-1)
    })

    it('keeps the state of a name that never took a tick for a day after its lease', async () => {
      const holder = aHolder()
      await granted(provider, holder, { lockAtMostFor: 30 * DAY_MS })
      expect(await stateTtl(holder.name)).toBeGreaterThan(30 * DAY_MS)
      await extend(provider, holder, { lockAtMostFor: 60 * DAY_MS })
      expect(await stateTtl(holder.name)).toBeGreaterThan(60 * DAY_MS)
      await release(provider, holder)
      expect(await stateTtl(holder.name)).toBeGreaterThan(DAY_MS - 60_000)
      expect(await stateTtl(holder.name)).toBeLessThanOrEqual(DAY_MS)
      expect(await client.exists(prefix + holder.name)).toBe(0)
    })
  })

  describe('batches', () => {
    it('knows what to do when Redis has forgotten the scripts', async () => {
      const holder = aHolder()
      await client.script('FLUSH')
      await granted(provider, holder)
      await client.script('FLUSH')
      expect(await extend(provider, holder)).toBeDefined()
      await client.script('FLUSH')
      expect(await release(provider, holder)).toBe(true)
    })

    it('keeps a batch in order, also when it is cut and a name occurs in it again and again', async () => {
      const calls: (readonly string[])[] = []
      const watched = through((keyCount, args, call) => {
        calls.push(args.slice(0, keyCount))
        return call()
      })
      const busy = aHolder()
      const batch = Array.from({ length: 1_001 }, (_, index) => (index % 10 ? aHolder() : newHolder(busy.name)))
      await client.script('FLUSH')
      const results = await watched.acquire(batch.map((holder) => toAcquire(holder)))
      expect(calls.length).toBeGreaterThan(3)
      expect(Math.max(...calls.map((keys) => keys.length / 2))).toBeLessThan(400)
      // Two calls may change places on their way, when one of them finds the script unknown and the other doesn't.
      expect(calls.filter((keys) => keys.includes(keysOf(busy.name).lock))).toHaveLength(1)
      for (const [index, result] of results.entries()) {
        expect(result.granted).toBe(index === 0 || index % 10 !== 0)
        if (result.granted) expect(result.lease.owner).toBe(batch[index]?.owner)
      }
      const read = await watched.read(batch.map(({ name }) => name))
      expect(read.map(({ name }) => name)).toEqual([...new Set(batch.map(({ name }) => name))].sort())
    })

    it('tells the answers of each call when they are there, and answers all of them in the end', async () => {
      let last: (() => void) | undefined
      const held = new Promise<void>((resolve) => (last = resolve))
      let calls = 0
      const slow = through(async (_keyCount, _args, call) => {
        const reply = await call()
        if (++calls === 3) await held
        return reply
      })
      await slow.acquire([toAcquire(aHolder())])
      const busy = aHolder()
      const batch = Array.from({ length: 500 }, (_, index) => (index % 50 ? aHolder() : newHolder(busy.name)))
      const told = new Map<number, unknown>()
      const all = slow.acquire(
        batch.map((holder) => toAcquire(holder)),
        (index, answer) => {
          expect(told.has(index)).toBe(false)
          told.set(index, answer)
        },
      )
      await until('two calls are answered', async () => told.size > 200)
      expect(told.size).toBeLessThan(500)
      last?.()
      const answers = await all
      expect(answers.map((answer) => answer.granted && answer.lease.owner)).toEqual(
        batch.map(({ owner }, index) => (index === 0 || index % 50 !== 0) && owner),
      )
      expect([...told].sort(([a], [b]) => a - b)).toEqual([...answers.entries()])
    })

    it('may ask for one name ten thousand times', async () => {
      const { name } = aHolder()
      const batch = Array.from({ length: 10_000 }, () => newHolder(name))
      const answers = await provider.acquire(batch.map((holder) => toAcquire(holder)))
      expect(answers.map(({ granted }) => granted)).toEqual(batch.map((_, index) => index === 0))
      const freed = await provider.release(batch.map((holder) => toRelease(holder)))
      expect(freed).toEqual(batch.map((_, index) => index === 0))
    })

    it('sends once what is the same for all', async () => {
      const sent: (readonly string[])[] = []
      const watched = through((keyCount, args, call) => {
        sent.push(args.slice(keyCount))
        return call()
      })
      const [a, b] = [aHolder(), aHolder()]
      await watched.acquire([toAcquire(a, { tick: 1_000 }), toAcquire(b, { tick: 1_000 })])
      expect(sent).toEqual([
        ['-11111', '60000', '1000', '', '60000', '', `${a.label}#${a.owner}`, `${b.label}#${b.owner}`],
      ])
    })

    it('keeps apart what only one field tells apart', async () => {
      const { owner, label } = aHolder()
      const names = [randomUUID(), randomUUID(), randomUUID()]
      const asked = names.map((name, index) => toAcquire({ name, owner, label }, { tick: 1_000 * (index + 1) }))
      await provider.acquire(asked)
      expect((await provider.read(names)).map(({ name, lastTick }) => [name, lastTick]).sort()).toEqual(
        names.map((name, index) => [name, 1_000 * (index + 1)]).sort(),
      )
      const again = names.map((name, index) =>
        toAcquire(newHolder(name), { tick: 9_000, metadata: index === 1 ? 'said' : undefined }),
      )
      for (const name of names) await provider.forceRelease(name)
      await provider.acquire(again)
      const said = new Map((await provider.read(names)).map(({ name, metadata }) => [name, metadata]))
      expect(names.map((name) => said.get(name))).toEqual([undefined, 'said', undefined])
    })

    it('overwrites no list or hash of others at the key of a lock that it knows', async () => {
      const [known, other] = [aHolder(), aHolder()]
      await granted(provider, known)
      await release(provider, known)
      await client.rpush(prefix + known.name, 'not a lock')
      const batch = [toAcquire(newHolder(known.name)), toAcquire(other)]
      await expect(provider.acquire(batch)).rejects.toThrow('WRONGTYPE')
      expect(await client.lrange(prefix + known.name, 0, -1)).toEqual(['not a lock'])
    })

    it('is told what is no state of a lock, and keeps what was granted before, also within one call', async () => {
      const [first, strange, last] = [aHolder(), aHolder(), aHolder()]
      const { state } = keysOf(strange.name)
      const batch = [first, strange, last].map((holder) => toAcquire(holder, { tick: 5 }))
      for (const put of [() => client.set(state, 'not a state'), () => client.rpush(state, 'not a state')]) {
        await client.del(state)
        await put()
        await expect(provider.acquire(batch)).rejects.toThrow(/holds no state of a lock|WRONGTYPE/)
      }
      expect(await provider.read([first.name])).toMatchObject([{ lastTick: 5, tickDone: false }])
      await client.del(state)
      const results = await provider.acquire(batch)
      expect(results.every((result) => result.granted)).toBe(true)
    })

    it('rejects a batch of which a part failed; asking again gives what the other part was granted', async () => {
      const batch = Array.from({ length: 1_000 }, aHolder)
      const poisoned = batch[999]?.name ?? ''
      await client.rpush(prefix + poisoned, 'not a lock')
      await expect(provider.acquire(batch.map((holder) => toAcquire(holder)))).rejects.toThrow('WRONGTYPE')
      await client.del(prefix + poisoned)
      const [early] = await provider.read([batch[0]?.name ?? ''])
      const results = await provider.acquire(batch.map((holder) => toAcquire(holder)))
      expect(results.every((result) => result.granted)).toBe(true)
      expect(results[0]).toMatchObject({ lease: { fencingToken: early?.fencingToken } })
    })
  })
})

describe.skipIf('unavailable' in sentinel)('a replica of Redis', () => {
  it('answers no request that decides, not even one that it could refuse, but may be read', async () => {
    if ('unavailable' in sentinel) return
    const prefix = `test-${randomUUID()}:`
    const url = sentinel.url
    const master = redis({ url, prefix })
    const [sentinels, name] = [url.split(/:\/\/|\//)[1]?.split(',') ?? [], url.split('/').at(-1) ?? '']
    const client = new Redis({ role: 'slave', name, sentinels: sentinels.map(asHost) })
    const replica = redis({ client, prefix })
    try {
      const holder = newHolder(randomUUID())
      await granted(master, holder, { lockAtMostFor: 5_000 })
      await until('the replica has it', async () => (await replica.read([holder.name])).length === 1)
      await expect(replica.acquire([toAcquire(newHolder(holder.name))])).rejects.toThrow('READONLY')
      await expect(extend(replica, newHolder(holder.name))).rejects.toThrow('READONLY')
      await expect(release(replica, newHolder(holder.name))).rejects.toThrow('READONLY')
      await expect(replica.forceRelease(holder.name)).rejects.toThrow('READONLY')
      await release(master, holder)
    } finally {
      client.disconnect()
      await master.close()
    }
  })
})

function asHost(text: string): { host: string; port: number } {
  const [host = '', port] = text.split(':')
  return { host, port: Number(port) }
}
