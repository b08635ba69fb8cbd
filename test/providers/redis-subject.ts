/* How the conformance suite meets Redis: one server, Sentinel or a cluster, shared with ShedLock or not, looked into by the tests' own client. */
import { randomUUID } from 'node:crypto'
import { keySpace, sharedKeySpace } from '../../providers/redis/keys.ts'
import { redis } from '../../providers/redis/redis.ts'
import type { ConformanceSubject } from '../../src/testing/index.ts'
import { redisClient } from '../servers/index.ts'
import { lookAtRedis, redisNow, redisPoisons } from './redis-inspect.ts'

/**
 * @param unreachable a URL of the same kind on which nobody listens
 * @param isShared whether the locks are shared with ShedLock
 */
export function redisSubject(
  name: string,
  url: string,
  unreachable: string,
  prefix = `test-${randomUUID()}:`,
  isShared = false,
): ConformanceSubject {
  const { keysOf } = isShared ? sharedKeySpace(prefix) : keySpace(prefix)
  const client = redisClient(url)
  const place = isShared ? { shedlock: prefix } : { prefix }
  return {
    name,
    clock: 'store',
    connect: () => redis({ url, ...place }),
    now: () => redisNow(client),
    look: (lock) => lookAtRedis(client, keysOf(lock)),
    async lose(lock) {
      const keys = keysOf(lock)
      await client.del(keys.record, ...(keys.shedLock === undefined ? [] : [keys.shedLock]))
    },
    unreachable: () => redis({ url: unreachable, ...place }),
    unprepared: 'nothing has to be set up in Redis',
    async clientSurvivesClose() {
      const own = redisClient(url)
      try {
        const provider = redis({ client: own, ...place })
        await provider.read([])
        await provider.close()
        return (await own.ping()) === 'PONG'
      } finally {
        own.disconnect()
      }
    },
    poisons: {
      ...redisPoisons(client, (lock) => keysOf(lock).record),
      ...(isShared && {
        "a list at ShedLock's key": async (lock: string) => {
          const key = keysOf(lock).shedLock ?? ''
          await client.del(key)
          await client.rpush(key, 'not a lock')
        },
      }),
    },
    lockRecord: 'Redis has no transactions that are open while others wait',
    asShedLock: isShared
      ? async (lock, lockedForMs) => {
          const value = `ADDED:${new Date().toISOString()}@jvm-host:${randomUUID()}`
          return (await client.set(keysOf(lock).shedLock ?? '', value, 'PX', lockedForMs, 'NX')) === 'OK'
        }
      : 'locks are shared with ShedLock by an option, see redis-shedlock',
    async after() {
      for (const { name: lock } of await redis({ client, ...place }).read()) await this.lose(lock)
      client.disconnect()
    },
  }
}
