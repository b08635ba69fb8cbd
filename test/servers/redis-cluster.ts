import { Redis } from 'ioredis'
import { onFreePort } from './free-port.ts'
import { launchRedis, redisUrl } from './redis.ts'
import { redisVersion } from './redis-client.ts'
import type { ServerProcess } from './server-process.ts'
import type { ServerKind } from './test-server.ts'
import { until } from './until.ts'

const MASTERS = 3
const SLOTS = 16_384

/** A Redis Cluster of three masters without replicas. */
export const redisCluster: ServerKind = {
  variable: 'TICKLOCK_TEST_REDIS_CLUSTER_URL',
  version: redisVersion,
  async start() {
    const options = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']
    const nodes: ServerProcess[] = []
    try {
      while (nodes.length < MASTERS) {
        nodes.push(await onFreePort((port) => launchRedis(`redis-cluster-${nodes.length + 1}`, port, ...options)))
      }
      await join(nodes.map((node) => node.port))
    } catch (error) {
      await Promise.all(nodes.map((node) => node.stop()))
      throw error
    }
    return { url: `redis+cluster://${nodes.map((node) => `127.0.0.1:${node.port}`).join()}`, processes: nodes }
  },
}

/** What `redis-cli --cluster create` does: each master gets its share of the slots, and the nodes meet. */
async function join(ports: readonly number[]): Promise<void> {
  const nodes = ports.map((port) => new Redis(redisUrl(port)))
  try {
    for (const [index, node] of nodes.entries()) {
      const first = Math.floor((index * SLOTS) / MASTERS)
      const last = Math.floor(((index + 1) * SLOTS) / MASTERS) - 1
      await node.cluster('ADDSLOTSRANGE', first, last)
      await node.cluster('SET-CONFIG-EPOCH', index + 1)
      await node.cluster('MEET', '127.0.0.1', ports[0] ?? 0)
    }
    await until('the nodes of the cluster have met', async () => (await Promise.all(nodes.map(isWhole))).every(Boolean))
  } finally {
    for (const node of nodes) node.disconnect()
  }
}

async function isWhole(node: Redis): Promise<boolean> {
  const info = await node.cluster('INFO')
  return info.includes('cluster_state:ok') && info.includes(`cluster_slots_ok:${SLOTS}`)
}
