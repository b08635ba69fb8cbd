import { Redis } from 'ioredis'
import { onFreePort } from './free-port.ts'
import { launchRedis, redisUrl } from './redis.ts'
import { redisVersion } from './redis-client.ts'
import type { ServerProcess } from './server-process.ts'
import type { ServerKind, StartedServer } from './test-server.ts'
import { until } from './until.ts'

const MASTERS = 3
const SLOTS = 16_384

/** A Redis Cluster of three masters without replicas. */
export const redisCluster: ServerKind = {
  variable: 'TICKLOCK_TEST_REDIS_CLUSTER_URL',
  version: redisVersion,
  // On a busy machine a node that is well may be silent for seconds.
  start: () => startCluster(0, 60_000),
}

/**
 * Three masters, each with so many replicas; the masters come first among the processes, then the replicas of each, in
 * that order. A node that has been silent for `nodeTimeout` ms counts as failed.
 */
export async function startCluster(replicas: number, nodeTimeout: number): Promise<StartedServer> {
  const timeout = ['--cluster-node-timeout', String(nodeTimeout)]
  const options = ['--cluster-enabled', 'yes', ...timeout, '--repl-diskless-sync-delay', '0']
  const nodes: ServerProcess[] = []
  try {
    while (nodes.length < MASTERS * (1 + replicas)) {
      nodes.push(await onFreePort((port) => launchRedis(`redis-cluster-${nodes.length + 1}`, port, ...options)))
    }
    await join(nodes.map((node) => node.port))
  } catch (error) {
    await Promise.all(nodes.map((node) => node.stop()))
    throw error
  }
  return { url: `redis+cluster://${nodes.map((node) => `127.0.0.1:${node.port}`).join()}`, processes: nodes }
}

/** What `redis-cli --cluster create` does: the nodes meet, each master gets its share of the slots, the others follow one. */
async function join(ports: readonly number[]): Promise<void> {
  const nodes = ports.map((port) => new Redis(redisUrl(port)))
  const masters = nodes.slice(0, MASTERS)
  try {
    for (const [index, node] of nodes.entries()) {
      await node.cluster('SET-CONFIG-EPOCH', index + 1)
      await node.cluster('MEET', '127.0.0.1', ports[0] ?? 0)
    }
    for (const [index, master] of masters.entries()) {
      const first = Math.floor((index * SLOTS) / MASTERS)
      const last = Math.floor(((index + 1) * SLOTS) / MASTERS) - 1
      await master.cluster('ADDSLOTSRANGE', first, last)
    }
    const ids = await Promise.all(masters.map(async (master) => (await master.call('CLUSTER', 'MYID')) as string))
    for (const [index, node] of nodes.slice(MASTERS).entries()) {
      const master = ids[index % MASTERS] ?? ''
      await until('the nodes of the cluster know each other', () => follows(node, master))
    }
    await until('the nodes of the cluster have met', async () => (await Promise.all(nodes.map(isWhole))).every(Boolean))
  } finally {
    for (const node of nodes) node.disconnect()
  }
}

/** A node that has not heard of the master yet says so. */
async function follows(node: Redis, master: string): Promise<boolean> {
  await node.cluster('REPLICATE', master)
  return true
}

async function isWhole(node: Redis): Promise<boolean> {
  const info = await node.cluster('INFO')
  return info.includes('cluster_state:ok') && info.includes(`cluster_slots_ok:${SLOTS}`)
}
