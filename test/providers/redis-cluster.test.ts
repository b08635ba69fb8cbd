import { randomUUID } from 'node:crypto'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { redis } from '../../providers/redis/redis.ts'
import { newHolder, release, toAcquire } from '../../src/testing/asking.ts'
import { conformance } from '../../src/testing/index.ts'
import { redisSubject } from './redis-subject.ts'

const server = inject('servers')['redis-cluster']

describe.skipIf('unavailable' in server)('redis-cluster', () => {
  if ('unavailable' in server) return
  const subject = redisSubject('redis-cluster', server.url, 'redis+cluster://127.0.0.1:1')
  conformance({ describe, it, beforeAll, afterAll }, subject)

  it('tells what was decided for the other locks of a batch when one of them fails', async () => {
    const prefix = `test-${randomUUID()}:`
    const provider = redis({ url: server.url, prefix })
    const client = new Cluster([{ host: '127.0.0.1', port: Number(/:(\d+)/.exec(server.url)?.[1]) }])
    const holders = ['a', 'broken', 'c', 'd'].map(newHolder)
    await client.rpush(`${prefix}broken`, 'not a lock')
    const told: string[] = []
    const all = provider.acquire(
      holders.map((holder) => toAcquire(holder)),
      (index, answer) => told.push(`${index} ${answer.granted}`),
    )
    await expect(all).rejects.toThrow('WRONGTYPE')
    expect(told.sort()).toEqual(['0 true', '2 true', '3 true'])
    for (const holder of holders)
      expect(await release(provider, holder).catch(() => 'failed')).toBe(holder.name === 'broken' ? 'failed' : true)
    await client.del(`${prefix}broken`)
    await provider.close()
    client.disconnect()
  })
})
