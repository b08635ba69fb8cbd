/* How the conformance suite meets Redis: one server, Sentinel or a cluster, looked into by the tests' own client. */
import { randomUUID } from 'node:crypto'
import { keySpace } from '../../providers/redis/keys.ts'
import { redis } from '../../providers/redis/redis.ts'
import type { ConformanceSubject } from '../../src/testing/index.ts'
import { redisClient } from '../servers/index.ts'

/** The key's value and end (ms), and the hash, as they are at one moment. */
const LOOK = `
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + time[2] / 1000 + redis.call('PTTL', KEYS[1])
return { redis.call('GET', KEYS[1]), string.format('%.3f', until_ms), redis.call('HGETALL', KEYS[2]) }`

type Looked = [holder: string | null, until: string, fields: string[]]

/** @param unreachable a URL of the same kind on which nobody listens */
export function redisSubject(
  name: string,
  url: string,
  unreachable: string,
  prefix = `test-${randomUUID()}:`,
): ConformanceSubject {
  const { keysOf } = keySpace(prefix)
  const client = redisClient(url)
  const now = async (): Promise<number> => {
    const [seconds, microseconds] = (await client.time()) as unknown as [string, string]
    return Number(seconds) * 1_000 + Number(microseconds) / 1_000
  }
  return {
    name,
    clock: 'store',
    connect: () => redis({ url, prefix }),
    now,
    async look(lock) {
      const keys = keysOf(lock)
      const [holder, until, fields] = (await client.eval(LOOK, 2, keys.lock, keys.state)) as Looked
      const state = Object.fromEntries(fields.flatMap((key, at) => (at % 2 === 0 ? [[key, fields[at + 1]]] : [])))
      if (holder === null && state.locked_by === undefined) return undefined
      return {
        lockedBy: holder ?? state.locked_by ?? '',
        lockedAt: Number(state.locked_at ?? 0) / 1_000,
        lockUntil: holder === null ? Number(state.lock_until) / 1_000 : Number(until),
        fencingToken: Number(state.fencing_token ?? 0),
        lastTick: state.last_tick === undefined ? undefined : Number(state.last_tick),
        tickDone: state.tick_done === '1',
        metadata: state.metadata,
      }
    },
    async lose(lock) {
      const keys = keysOf(lock)
      await client.del(keys.lock, keys.state)
    },
    unreachable: () => redis({ url: unreachable, prefix }),
    unprepared: 'nothing has to be set up in Redis',
    async clientSurvivesClose() {
      const own = redisClient(url)
      try {
        const provider = redis({ client: own, prefix })
        await provider.read([])
        await provider.close()
        return (await own.ping()) === 'PONG'
      } finally {
        own.disconnect()
      }
    },
    async asShedLock(lock, lockedForMs) {
      const value = `ADDED:${new Date().toISOString()}@jvm-host:${randomUUID()}`
      return (await client.set(keysOf(lock).lock, value, 'PX', lockedForMs, 'NX')) === 'OK'
    },
    async after() {
      for (const { name: lock } of await redis({ client, prefix }).read()) await this.lose(lock)
      client.disconnect()
    },
  }
}
