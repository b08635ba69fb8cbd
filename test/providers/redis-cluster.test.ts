import { randomUUID } from 'node:crypto'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { redis } from '../../providers/redis/redis.ts'
import { conformance } from '../../src/testing/index.ts'
import { newHolder, release, toAcquire } from '../../src/testing/requests.ts'
import { redisClient } from '../servers/index.ts'
import { redisSubject } from './redis-subject.ts'

const server = inject('servers')['redis-cluster']

describe.skipIf('unavailable' in server)('redis-cluster', () => {
  if ('unavailable' in server) return
  const subject = redisSubject('redis-cluster', server.url, 'redis+cluster://127.0.0.1:1')
  conformance({ describe, it, beforeAll, afterAll }, subject)

  it('that lost a master fails the requests for its locks, and decides the others', async () => {
    const prefix = `test-${randomUUID()}:`
    const client = redisClient(server.url)
    const failing = new Set<string>()
    const provider = redis({
      prefix,
      client: {
        evalsha: async (sha: string, count: number, ...args: string[]) => {
          if (failing.has(args[0] ?? '')) throw new Error('CLUSTERDOWN Hash slot not served')
          return client.evalsha(sha, count, ...args)
        },
        eval: (text: string, count: number, ...args: string[]) => client.eval(text, count, ...args),
        ping: () => client.ping(),
        nodes: (role: 'master') => (client as Cluster).nodes(role),
      },
    })
    const holders = ['a', 'gone', 'c', 'd'].map(newHolder)
    failing.add(`${prefix}gone`)
    const requests = holders.map((holder) => toAcquire(holder))
    const results = await provider.acquire(requests)
    expect(results.map((result) => (result instanceof Error ? result.message : result.granted))).toEqual([
      true,
      'CLUSTERDOWN Hash slot not served',
      true,
      true,
    ])
    for (const name of ['a', 'c', 'd']) failing.add(prefix + name)
    await expect(provider.acquire(requests)).rejects.toThrow('CLUSTERDOWN')
    failing.clear()
    for (const holder of holders) expect(await release(provider, holder)).toBe(holder.name !== 'gone')
    client.disconnect()
  })

  it('whose client pipelines by itself is asked by the keys of each script', async () => {
    const { hostname: host, port } = new URL(server.url.replace(/^redis\+cluster/, 'redis').replace(/,.*$/, ''))
    const client = new Cluster([{ host, port: Number(port) }], { enableAutoPipelining: true })
    // ioredis 5.3 routes them by their first argument, which fails; later versions by their keys.
    const pipelines = vi.spyOn(client, 'pipeline')
    const provider = redis({ client, prefix: `test-${randomUUID()}:` })
    const holders = Array.from({ length: 20 }, (_, index) => newHolder(`${index}`))
    const results = await provider.acquire(holders.map((holder) => toAcquire(holder)))
    expect(results.map((result) => !(result instanceof Error) && result.granted)).toEqual(holders.map(() => true))
    const sent = pipelines.mock.calls.flatMap(([commands]) => (Array.isArray(commands) ? [commands] : []))
    expect(sent.length).toBeGreaterThanOrEqual(20)
    for (const commands of sent) expect(commands).toHaveLength(1)
    expect(await provider.read()).toHaveLength(20)
    expect(await provider.prune(-70_000)).toBe(20)
    client.disconnect()
  })
})
