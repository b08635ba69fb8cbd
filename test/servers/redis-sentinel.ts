import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { onFreePort } from './free-port.ts'
import { findRedis, launchRedis, redisUrl } from './redis.ts'
import { redisVersion } from './redis-client.ts'
import { ServerProcess } from './server-process.ts'
import type { ServerKind, StartedServer } from './test-server.ts'
import { until } from './until.ts'

const SENTINELS = 3
const QUORUM = 2
const MASTER = 'mymaster'

/** A failover between tests would lose records, and on a busy machine a master that is well is silent for a second. */
const PATIENT_MS = 60_000

export const redisSentinel: ServerKind = {
  variable: 'TICKLOCK_TEST_REDIS_SENTINEL_URL',
  version: redisVersion,
  start: () => startSentinel(PATIENT_MS),
}

/**
 * A master and its replica under three sentinels, which fail over when the master has been silent for `downAfter` ms.
 */
export async function startSentinel(downAfter: number): Promise<StartedServer> {
  const processes: ServerProcess[] = []
  const started = async (start: (port: number) => Promise<ServerProcess>): Promise<ServerProcess> => {
    const server = await onFreePort(start)
    processes.push(server)
    return server
  }
  try {
    const prompt = ['--repl-diskless-sync-delay', '0']
    const master = await started((port) => launchRedis('redis-master', port, ...prompt))
    const follow = [...prompt, '--replicaof', `127.0.0.1 ${master.port}`]
    const replica = await started((port) => launchRedis('redis-replica', port, ...follow))
    await until('the replica follows its master', () => asks(replica.port, isFollowing))
    const sentinels: ServerProcess[] = []
    while (sentinels.length < SENTINELS) {
      sentinels.push(await started((port) => launchSentinel(sentinels.length + 1, port, master.port, downAfter)))
    }
    await Promise.all(sentinels.map(({ port }) => until('the sentinels agree', () => asks(port, isComplete))))
    const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`)
    return { url: `redis+sentinel://${hosts.join()}/${MASTER}`, processes }
  } catch (error) {
    await Promise.all(processes.map((process) => process.stop()))
    throw error
  }
}

/** A sentinel keeps what it learns in its configuration file. */
async function launchSentinel(
  number: number,
  port: number,
  masterPort: number,
  downAfter: number,
): Promise<ServerProcess> {
  const settings = [
    'bind 127.0.0.1',
    `port ${port}`,
    `sentinel monitor ${MASTER} 127.0.0.1 ${masterPort} ${QUORUM}`,
    `sentinel down-after-milliseconds ${MASTER} ${downAfter}`,
    `sentinel failover-timeout ${MASTER} 3000`,
  ]
  return await ServerProcess.launch({
    name: `redis-sentinel-${number}`,
    port,
    program: await findRedis(),
    prepare: async (folder) => writeFileSync(join(folder, 'sentinel.conf'), `${settings.join('\n')}\n`),
    args: (folder) => [join(folder, 'sentinel.conf'), '--sentinel'],
    probe: () => asks(port, (redis) => redis.ping()),
  })
}

async function isFollowing(replica: Redis): Promise<boolean> {
  const info = await replica.info('replication')
  return info.includes('master_link_status:up')
}

/** It knows the replica and the other sentinels, so it can fail over. */
async function isComplete(sentinel: Redis): Promise<boolean> {
  const replicas = (await sentinel.call('SENTINEL', 'replicas', MASTER)) as unknown[]
  const others = (await sentinel.call('SENTINEL', 'sentinels', MASTER)) as unknown[]
  return replicas.length === 1 && others.length === SENTINELS - 1
}

async function asks<T>(port: number, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(redisUrl(port), { maxRetriesPerRequest: 0, commandTimeout: 2_000 })
  redis.on('error', () => {}) // The question fails with it.
  try {
    return await question(redis)
  } finally {
    redis.disconnect()
  }
}
