/* What is particular to Redis: how a record lies there, what a batch costs, forgotten scripts, cut batches, replicas. */
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { keySpace } from '../../providers/redis/keys.ts'
import { redis } from '../../providers/redis/redis.ts'
import {
  acquireAll,
  extend,
  granted,
  type Holder,
  newHolder,
  readAll,
  refused,
  release,
  toAcquire,
  toRelease,
} from '../../src/testing/requests.ts'
import { until } from '../servers/until.ts'
import { redisNow, redisPoisons } from './redis-inspect.ts'

const server = inject('servers').redis
const sentinel = inject('servers')['redis-sentinel']

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
    const keys = await client.keys(`${prefix}*`)
    if (keys.length > 0) await client.del(...keys)
    client.disconnect()
  })

  describe('a record', () => {
    it('is one string under one key, without expiry, for people to read', async () => {
      const holder = aHolder()
      const tick = Date.now()
      const key = prefix + holder.name
      const { lockUntil, acquiredAt, fencingToken } = await granted(provider, holder, {
        tick,
        metadata: 'by 50%\nof us',
      })
      const micros = (ms: number) => String(Math.round(ms * 1_000))
      const times = `${micros(lockUntil)} ${micros(acquiredAt)} ${fencingToken}`
      const by = `one-host:1#${holder.owner}`
      expect(await client.get(key)).toBe(`v1 ${times} ${tick} - ${by} by%2050%25%0Aof%20us`)
      expect(await client.pttl(key)).toBe(-1)
      await release(provider, holder, { tick })
      expect(await client.get(key)).toMatch(
        new RegExp(`^v1 \\d+ \\d+ \\d+ ${tick} d ${by}#released by%2050%25%0Aof%20us$`),
      )
      await provider.setPaused?.({ name: holder.name, paused: true })
      expect(await client.get(key)).toContain(` ${tick} dp `)
      expect((await client.keys(`*${holder.name}*`)).sort()).toEqual([key])
    })

    it('keeps whole numbers up to 2^53 as they are', async () => {
      const { name } = aHolder()
      for (const token of [2 ** 53 - 3, 2 ** 53 - 4, 2 ** 52 + 1]) {
        const micros = Math.floor((await redisNow(client)) * 1_000) - 1
        await client.set(prefix + name, `v1 ${micros} ${micros} ${token} 8639999999999999 d a#b`)
        expect(await readAll(provider, [name])).toMatchObject([{ fencingToken: token, lastTick: 8639999999999999 }])
        expect((await granted(provider, newHolder(name))).fencingToken).toBe(token + 1)
        expect(await readAll(provider, [name])).toMatchObject([{ fencingToken: token + 1, lastTick: 8639999999999999 }])
        await provider.forceRelease(name)
      }
    })

    it('can be repaired by hand: deleted, or written anew', async () => {
      const { name } = aHolder()
      await client.rpush(prefix + name, 'not a lock')
      await expect(granted(provider, newHolder(name))).rejects.toThrow(`"${prefix}${name}" holds a list, not a string`)
      await client.del(prefix + name)
      await granted(provider, newHolder(name))
      await client.set(prefix + name, 'v1 0 0 0 1714557600000 d -')
      await refused(provider, newHolder(name), 'tick-taken', { tick: 1_714_557_600_000 })
      await granted(provider, newHolder(name), { tick: 1_714_557_600_001 })
    })

    it('is free from the moment of a forced release', async () => {
      const holder = aHolder()
      await granted(provider, holder)
      expect(await provider.forceRelease(holder.name)).toBe(true)
      const [first] = await readAll(provider, [holder.name])
      const [second] = await readAll(provider, [holder.name])
      expect(second?.storeTime).toBeGreaterThan(first?.storeTime ?? 0)
      expect(second?.lockUntil).toBe(first?.lockUntil)
    })

    it('that is no record stays as it is whatever is asked for, and other programs keep their keys', async () => {
      const [bad, good] = [aHolder(), aHolder()]
      for (const [title, poison] of Object.entries(redisPoisons(client, (name) => prefix + name))) {
        await poison(bad.name)
        const before = await client.dump(prefix + bad.name)
        await provider.acquire([toAcquire(newHolder(bad.name)), toAcquire(good)])
        await provider.release([toRelease(bad), toRelease(good)])
        await provider.prune(0)
        await expect(provider.setPaused?.({ name: bad.name, paused: true }), title).rejects.toThrow("can't be read")
        expect(await client.dump(prefix + bad.name), title).toEqual(before)
      }
    })

    it('with an expiry that somebody gave to what is no record keeps it', async () => {
      const { name } = aHolder()
      await client.rpush(prefix + name, 'not a lock')
      await client.pexpire(prefix + name, 60_000)
      await provider.acquire([toAcquire(newHolder(name))])
      expect(await client.pttl(prefix + name)).toBeGreaterThan(50_000)
      await client.del(prefix + name)
    })
  })

  describe('a batch', () => {
    /** How many commands the server carried out. */
    const commandsOf = async (what: () => Promise<unknown>): Promise<number> => {
      const done = async () => Number(/total_commands_processed:(\d+)/.exec(await client.info('stats'))?.[1])
      const before = await done()
      await what()
      // The first INFO counts, the second doesn't count itself.
      return (await done()) - before - 1
    }

    it.each([1, 50])('of %i costs four commands: the script, TIME, one that reads, one that writes', async (size) => {
      const [earlier, tick] = [Array.from({ length: size }, aHolder), Date.now()]
      const acquireBy = (holders: readonly Holder[], at: number, lockAtMostFor = 60_000) =>
        commandsOf(() => provider.acquire(holders.map((holder) => toAcquire(holder, { tick: at, lockAtMostFor }))))
      const releaseBy = (holders: readonly Holder[], at: number) =>
        commandsOf(() => provider.release(holders.map((holder) => toRelease(holder, { tick: at }))))
      await acquireBy([aHolder()], tick) // The scripts are known from now on.
      await releaseBy([aHolder()], tick)
      expect(await acquireBy(earlier, tick - 1_000), 'new names: is there really nothing?').toBe(5)
      expect(await releaseBy(earlier, tick - 1_000)).toBe(4)
      const holders = earlier.map(({ name }) => newHolder(name))
      const others = earlier.map(({ name }) => newHolder(name))
      expect(await acquireBy(holders, tick, 500), 'a grant').toBe(4)
      expect(await acquireBy(others, tick), 'a refusal').toBe(4)
      expect(await releaseBy(holders, tick)).toBe(4)
      expect(await commandsOf(() => provider.read(others.map(({ name }) => name)))).toBe(3)
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
      const results = await acquireAll(
        watched,
        batch.map((holder) => toAcquire(holder)),
      )
      expect(calls.length).toBeGreaterThan(3)
      expect(Math.max(...calls.map((keys) => keys.length))).toBeLessThan(400)
      // Two calls may change places on their way, when one of them finds the script unknown and the other doesn't.
      expect(calls.filter((keys) => keys.includes(keysOf(busy.name).record))).toHaveLength(1)
      for (const [index, result] of results.entries()) {
        expect(result.granted).toBe(index === 0 || index % 10 !== 0)
        if (result.granted) expect(result.lease.owner).toBe(batch[index]?.owner)
      }
      const read = await watched.read(batch.map(({ name }) => name))
      expect(read.map(({ name }) => name)).toEqual([...new Set(batch.map(({ name }) => name))].sort())
    })

    it('may ask for one name ten thousand times', async () => {
      const { name } = aHolder()
      const batch = Array.from({ length: 10_000 }, () => newHolder(name))
      const answers = await acquireAll(
        provider,
        batch.map((holder) => toAcquire(holder)),
      )
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
      expect(sent).toEqual([['60000 1000 - 60000', `${a.label}#${a.owner}`, `${b.label}#${b.owner}`]])
    })

    it('keeps apart what only one field tells apart', async () => {
      const { owner, label } = aHolder()
      const names = [randomUUID(), randomUUID(), randomUUID()]
      const asked = names.map((name, index) => toAcquire({ name, owner, label }, { tick: 1_000 * (index + 1) }))
      await provider.acquire(asked)
      expect((await readAll(provider, names)).map(({ name, lastTick }) => [name, lastTick]).sort()).toEqual(
        names.map((name, index) => [name, 1_000 * (index + 1)]).sort(),
      )
      const again = names.map((name, index) =>
        toAcquire(newHolder(name), { tick: 9_000, metadata: index === 1 ? 'said' : undefined }),
      )
      for (const name of names) await provider.forceRelease(name)
      await provider.acquire(again)
      const said = new Map((await readAll(provider, names)).map(({ name, metadata }) => [name, metadata]))
      expect(names.map((name) => said.get(name))).toEqual([undefined, 'said', undefined])
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
      await expect(replica.reset({ name: holder.name, maxClockSkew: 0 })).rejects.toThrow('READONLY')
      await expect(replica.setPaused?.({ name: holder.name, paused: false })).rejects.toThrow('READONLY')
      await expect(replica.acquire([toAcquire(newHolder('new'), { tick: 1e15 })])).rejects.toThrow('READONLY')
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
