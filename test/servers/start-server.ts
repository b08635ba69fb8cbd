import { dynamodb } from './dynamodb.ts'
import { etcd } from './etcd.ts'
import { mariadb } from './mariadb.ts'
import { mongodb } from './mongodb.ts'
import { mysql } from './mysql.ts'
import { nats } from './nats.ts'
import { postgres } from './postgres.ts'
import { redis } from './redis.ts'
import { redisCluster } from './redis-cluster.ts'
import { redisQuorum } from './redis-quorum.ts'
import { redisSentinel } from './redis-sentinel.ts'
import type { ServerKind, ServerName, ServerUnavailable, StartOptions, TestServer } from './test-server.ts'
import { zookeeper } from './zookeeper.ts'

/** Those that take longest come first, since they are started in this order. */
const kinds: Readonly<Record<ServerName, ServerKind>> = {
  mysql,
  mongodb,
  mariadb,
  postgres,
  zookeeper,
  'redis-sentinel': redisSentinel,
  'redis-cluster': redisCluster,
  'redis-quorum': redisQuorum,
  redis,
  dynamodb,
  etcd,
  nats,
}

/** Every kind of server, those that take longest to start first. */
export const serverNames = Object.keys(kinds) as readonly ServerName[]

/** Finds or starts a server. What can't be had is an answer, not an error. */
export async function startServer(
  name: ServerName,
  options: StartOptions = {},
): Promise<TestServer | ServerUnavailable> {
  const kind = kinds[name]
  const given = process.env[kind.variable]
  try {
    return given ? await useServer(kind, given) : await startOwn(kind, options)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { unavailable: given ? `${kind.variable} is set, but that server does not answer: ${reason}` : reason }
  }
}

async function useServer(kind: ServerKind, url: string): Promise<TestServer> {
  return { url, version: await kind.version(url), processes: [], stop: async () => {} }
}

async function startOwn(kind: ServerKind, options: StartOptions): Promise<TestServer> {
  const started = await kind.start(options)
  const { url, processes } = started
  const stop = async (): Promise<void> => {
    await started.close?.()
    await Promise.all(processes.map((process) => process.stop()))
  }
  try {
    return { url, processes, version: await kind.version(url), stop }
  } catch (error) {
    await stop()
    throw error
  }
}
