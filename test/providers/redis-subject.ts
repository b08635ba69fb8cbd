/* How the conformance suite meets Redis: one server, Sentinel or a cluster, looked into by the tests' own client. */
import { randomUUID } from 'node:crypto'
import { keySpace } from '../../providers/redis/keys.ts'
import { redis } from '../../providers/redis/redis.ts'
import type { ConformanceSubject } from '../../src/testing/index.ts'
import { redisClient } from '../servers/index.ts'
import { lookAtRedis, redisNow } from './redis-look.ts'

/** @param unreachable a URL of the same kind on which nobody listens */
export function redisSubject(
  name: string,
  url: string,
  unreachable: string,
  prefix = `test-${randomUUID()}:`,
): ConformanceSubject {
  const { keysOf } = keySpace(prefix)
  const client = redisClient(url)
  return {
    name,
    clock: 'store',
    connect: () => redis({ url, prefix }),
    now: () => redisNow(client),
    look: (lock) => lookAtRedis(client, keysOf(lock)),
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
    poisons: 'to be written',
    lockRecord: 'to be written',
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
