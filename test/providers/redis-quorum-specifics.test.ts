/* What a majority of independent Redis must bear: some of them gone, forgetful, or with a vote that nobody confirmed. */
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { keySpace } from '../../providers/redis/keys.ts'
import { quorumScripts } from '../../providers/redis/quorum/lua.ts'
import { redisQuorum } from '../../providers/redis/quorum/redis-quorum.ts'
import { givenToVote } from '../../providers/redis/quorum/votes.ts'
import { whoOf } from '../../providers/redis/replies.ts'
import { argsOf } from '../../providers/redis/script-runner.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import {
  acquire,
  assertGranted,
  extended,
  granted,
  type Holder,
  newHolder,
  readAll,
  refused,
  release,
  SHORT_MS,
  toAcquire,
} from '../../src/testing/requests.ts'
import { launchIndependent } from '../servers/redis-quorum.ts'
import type { ServerProcess } from '../servers/server-process.ts'
import { until } from '../servers/until.ts'
import { lookAtRedis, redisNow, redisPoisons } from './redis-inspect.ts'

describe.skipIf('unavailable' in inject('servers')['redis-quorum'])('five Redis without persistence', () => {
  let servers: readonly ServerProcess[] = []
  let urls: string[] = []
  const { keysOf } = keySpace('ticklock:')
  beforeAll(async () => {
    servers = await launchIndependent(5)
    urls = servers.map(({ port }) => `redis://127.0.0.1:${port}`)
  })
  afterAll(() => Promise.all(servers.map((server) => server.stop())))

  const withNodes = async (run: (a: LockProvider, b: LockProvider) => Promise<void>): Promise<void> => {
    const nodes = [1, 2].map(() => redisQuorum({ servers: urls, timeout: 2_000 })) as [LockProvider, LockProvider]
    try {
      await run(...nodes)
    } finally {
      await Promise.all(nodes.map((node) => node.close()))
    }
  }

  /** Runs something while these servers are killed; they are empty afterwards. */
  const without = async (places: readonly number[], run: () => Promise<void>): Promise<void> => {
    await Promise.all(places.map((place) => servers[place]?.kill()))
    try {
      await run()
    } finally {
      await Promise.all(places.map((place) => servers[place]?.start()))
    }
  }

  /** Asks one server alone for its vote, as a node does that crashes before it has told the others. */
  const voteAt = async (place: number, holder: Holder, options: Parameters<typeof toAcquire>[1]): Promise<void> => {
    const client = new Redis(urls[place] ?? '')
    const keys = keysOf(holder.name)
    const args = argsOf([givenToVote(toAcquire(holder, options), randomUUID())])
    await client.eval(quorumScripts.vote.text, 1, keys.record, ...args)
    client.disconnect()
  }

  it('keep lock, token and tick when two of them are killed and come back empty', () =>
    withNodes(async (a, b) => {
      const first = newHolder(randomUUID())
      const tick = Date.now()
      const lease = await granted(a, first, { tick })
      await without([0, 1], async () => {
        await refused(b, newHolder(first.name), 'held', { tick: tick + 1 })
        const longer = await extended(a, first)
        expect(longer.fencingToken).toBe(lease.fencingToken)
        expect(await release(a, first, { tick })).toBe(true)
      })
      await refused(b, newHolder(first.name), 'tick-taken', { tick })
      const next = await granted(b, newHolder(first.name), { tick: tick + 1 })
      expect(next.fencingToken).toBeGreaterThan(lease.fencingToken)
    }))

  it('fail, and refuse nobody, when three of them are gone', () =>
    withNodes(async (a) => {
      const name = randomUUID()
      await granted(a, newHolder(name))
      await without([0, 1, 2], async () => {
        await expect(acquire(a, newHolder(name))).rejects.toThrow('no majority')
        await expect(a.read([name])).rejects.toThrow('no majority')
      })
    }))

  it('give a tick to another whose vote nobody confirmed, as soon as that vote lapses or a majority is without it', () =>
    withNodes(async (a) => {
      const tick = Date.now()
      const name = randomUUID()
      await voteAt(0, newHolder(name), { tick })
      await voteAt(1, newHolder(name), { tick })
      await granted(a, newHolder(name), { tick })

      const blocked = randomUUID()
      for (const place of [0, 1, 2]) await voteAt(place, newHolder(blocked), { tick, lockAtMostFor: SHORT_MS })
      const holder = newHolder(blocked)
      await until('the votes have lapsed', async () => (await acquire(a, holder, { tick })).granted)
    }))

  it('confirm a vote with one token, whoever of several that repeat an acquisition comes first', async () => {
    const holder = newHolder(randomUUID())
    const client = new Redis(urls[0] ?? '')
    const { record: key } = keysOf(holder.name)
    await voteAt(0, holder, {})
    const { fencingToken: own } = (await lookAtRedis(client, keysOf(holder.name))) ?? { fencingToken: 0 }
    const confirm = async (agreed: number): Promise<unknown> => {
      const who = `${whoOf(holder)} ${randomUUID()} ${own} ${agreed}`
      const reply = await client.eval(quorumScripts.confirm.text, 1, key, '', who)
      return (reply as unknown[])[1]
    }
    expect(await confirm(own)).toBe(1)
    expect(await confirm(own + 5)).toBe(0)
    expect(await confirm(own)).toBe(1)
    expect(await lookAtRedis(client, keysOf(holder.name))).toMatchObject({ fencingToken: own })
    client.disconnect()
  })

  it('take the votes back of one who is refused: nothing is left of its lock and its tick', () =>
    withNodes(async (a) => {
      const tick = Date.now()
      const name = randomUUID()
      const rival = newHolder(name)
      for (const place of [0, 1, 2]) await voteAt(place, rival, { tick })
      await refused(a, newHolder(name), 'tick-taken', { tick })
      for (const place of [3, 4]) {
        const client = new Redis(urls[place] ?? '')
        const { lockUntil, lastTick } = (await lookAtRedis(client, keysOf(name))) ?? {}
        expect(lockUntil).toBeLessThanOrEqual(await redisNow(client))
        expect(lastTick).toBeUndefined()
        client.disconnect()
      }
    }))

  it('ask again while votes are split, until those that nobody confirms have lapsed', () =>
    withNodes(async (a, b) => {
      const tick = Date.now()
      const name = randomUUID()
      for (const place of [0, 1, 2]) await voteAt(place, newHolder(name), { tick, lockAtMostFor: SHORT_MS * 10 })
      const early = newHolder(name)
      // Three others, each with one vote, and none with a majority.
      const result = await acquire(a, early, { tick }).catch(() => acquire(b, early, { tick }))
      assertGranted(result, early)
      await refused(b, newHolder(name), 'tick-taken', { tick })
    }))

  it('outvote a minority whose record can not be read, and repair it', () =>
    withNodes(async (a, b) => {
      const clients = urls.slice(0, 2).map((url) => new Redis(url))
      const all = clients.map((client) => redisPoisons(client, (name) => keysOf(name).record))
      for (const title of Object.keys(all[0] ?? {})) {
        const tick = Date.now()
        const holder = newHolder(randomUUID())
        const { fencingToken } = await granted(a, holder, { tick })
        for (const poisons of all) await poisons[title]?.(holder.name)
        await refused(b, newHolder(holder.name), 'tick-taken', { tick })
        expect((await extended(a, holder)).fencingToken).toBe(fencingToken)
        expect(await readAll(b, [holder.name])).toMatchObject([{ fencingToken, lastTick: tick }])
        expect(await b.reset({ name: holder.name, maxClockSkew: 60_000 }), title).toBe(true)
        expect(await b.reset({ name: holder.name, maxClockSkew: 60_000 })).toBe(false)
        expect(await release(a, holder, { tick })).toBe(true)
      }
      for (const client of clients) client.disconnect()
    }))

  it('never give a token that is not higher, whichever of their clocks and majorities grants', () =>
    withNodes(async (a, b) => {
      const name = randomUUID()
      let last = 0
      for (let round = 0; round < 10; round++) {
        const gone = [round % 5, (round + 2) % 5]
        const clients = urls.filter((_, place) => !gone.includes(place))
        const ahead = new Redis(clients[0] ?? '')
        // One server's clock was ahead by an hour once: its tokens are.
        const { record: key } = keysOf(name)
        const now = Math.floor((await redisNow(ahead)) * 1_000)
        await ahead.set(key, `v1 ${now} ${now} ${Math.max(last, now) + 3_600_000_000} - - a#b`)
        ahead.disconnect()
        const holder = newHolder(name)
        const { fencingToken } = await granted(round % 2 ? a : b, holder)
        expect(fencingToken).toBeGreaterThan(last)
        last = fencingToken
        await release(a, holder)
      }
    }))
})

describe('redisQuorum()', () => {
  const url = (port: number): string => `redis://user:secret@127.0.0.1:${port}`
  for (const [what, input] of [
    ['one server', [url(1)]],
    ['two servers', [url(1), url(2)]],
    ['four servers', [url(1), url(2), url(3), url(4)]],
    ['one server three times', [url(1), url(1), url(1)]],
    ['a cluster', [url(1), url(2), 'redis+cluster://127.0.0.1:3']],
    ['a timeout of 0', { servers: [url(1), url(2), url(3)], timeout: 0 }],
    ['an unknown option', { servers: [url(1), url(2), url(3)], quorum: 2 }],
  ] as const) {
    it(`refuses ${what}, and keeps passwords to itself`, () => {
      const call = (): unknown => redisQuorum(input as readonly string[])
      expect(call).toThrow(InvalidOptionError)
      expect(call).not.toThrow(/secret/)
    })
  }
})
