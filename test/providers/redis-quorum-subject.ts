/* How the conformance suite meets five independent Redis: each is looked into by the tests' own client, and what a majority holds counts. */
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { keySpace } from '../../providers/redis/keys.ts'
import { redisQuorum } from '../../providers/redis/quorum/redis-quorum.ts'
import type { ConformanceSubject, StoredRecord } from '../../src/testing/index.ts'
import { lookAtRedis, redisNow, redisPoisons } from './redis-inspect.ts'

/** @param urls of the servers */
export function redisQuorumSubject(urls: readonly string[]): ConformanceSubject {
  const prefix = `test-${randomUUID()}:`
  const { keysOf } = keySpace(prefix)
  const clients = urls.map((url) => new Redis(url))
  const majority = Math.floor(urls.length / 2) + 1
  const connect = (servers: readonly string[] = urls) => redisQuorum({ servers, prefix, timeout: 5_000 })
  return {
    name: 'redis-quorum',
    clock: 'store',
    connect: () => connect(),
    now: () => redisNow(clients[0] as Redis),
    async look(lock) {
      const records = await Promise.all(clients.map((client) => lookAtRedis(client, keysOf(lock))))
      return heldByMajority(
        records.filter((record) => record !== undefined),
        majority,
      )
    },
    async lose(lock) {
      await Promise.all(clients.map((client) => client.del(keysOf(lock).record)))
    },
    unreachable: () => connect([1, 2, 3].map((port) => `redis://127.0.0.1:${port}`)),
    unprepared: 'nothing has to be set up in Redis',
    async clientSurvivesClose() {
      const own = urls.map((url) => new Redis(url))
      try {
        const provider = redisQuorum({ servers: own, prefix })
        await provider.read([randomUUID()])
        await provider.close()
        return (await Promise.all(own.map((client) => client.ping()))).every((answer) => answer === 'PONG')
      } finally {
        for (const client of own) client.disconnect()
      }
    },
    poisons: poisonsOnAll(clients, (lock) => keysOf(lock).record),
    lockRecord: 'Redis has no transactions that are open while others wait',
    asShedLock: 'ShedLock asks one Redis, and knows of no majority',
    cannotPause: 'no pause is kept by a majority yet',
    keepsNoHistory: 'no history is kept by a majority yet',
    async after() {
      const provider = connect()
      for (const { name: lock } of await provider.read()) await this.lose(lock)
      await provider.close()
      for (const client of clients) client.disconnect()
    },
  }
}

/** A minority is outvoted, see redis-quorum-particular. */
function poisonsOnAll(clients: readonly Redis[], keyOf: (name: string) => string) {
  const all = clients.map((client) => redisPoisons(client, keyOf))
  return Object.fromEntries(
    Object.keys(all[0] ?? {}).map((title) => [
      title,
      (name: string) => Promise.all(all.map((poisons) => poisons[title]?.(name))),
    ]),
  )
}

/** What is the same on a majority; of the times, those that a majority reaches. */
function heldByMajority(records: readonly StoredRecord[], majority: number): StoredRecord | undefined {
  const textOf = ({ lockedBy, fencingToken }: StoredRecord): string => `${fencingToken} ${lockedBy}`
  const found = records.find((one) => records.filter((other) => textOf(other) === textOf(one)).length >= majority)
  if (!found) return undefined
  const same = records.filter((record) => textOf(record) === textOf(found))
  const reached = (timeOf: (record: StoredRecord) => number): number =>
    same.map(timeOf).sort((a, b) => b - a)[majority - 1] ?? 0
  return { ...found, lockUntil: reached(({ lockUntil }) => lockUntil), lockedAt: reached(({ lockedAt }) => lockedAt) }
}
