import type { RedisClient, RedisCluster, RedisCommands, RedisServer } from './redis-commands.ts'
import { has, refuse } from './refuse.ts'

/** The small part of a client of `redis` (node-redis) that is used here. */
export interface NodeRedis {
  sendCommand(args: never, options?: never): Promise<unknown>
}

/** The small part of a cluster client of `redis` (node-redis) that is used here. */
export interface NodeRedisCluster {
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: never,
    options?: never,
  ): Promise<unknown>
  readonly masters: readonly unknown[]
  nodeClient(node: never): PromiseLike<unknown>
}

/** Replies in JavaScript's own types, whatever the client maps them to by default. */
const OPTIONS = { typeMapping: {} } as never

/**
 * A client of `redis` (node-redis) 4 to 6, or a cluster client of it, for `redis()` of `ticklock/redis`; connected before the first use. Give it a
 * `commandsQueueMaxLength` and `disableOfflineQueue: true`: what waits in its queue during an outage would be sent when nobody waits for it any more.
 *
 * @example
 * const provider = redis(fromNodeRedis(client))
 *
 * @throws {InvalidOptionError} for anything else.
 */
export function fromNodeRedis(client: NodeRedis | NodeRedisCluster): { readonly client: RedisClient | RedisCluster } {
  if (!has(client, 'sendCommand', 'connect'))
    refuse('fromNodeRedis', 'a client of the package redis 4 or later', client)
  return { client: has(client, 'nodeClient') ? clusterOf(client as NodeRedisCluster) : clientOf(client as NodeRedis) }
}

function clientOf(client: NodeRedis): RedisClient {
  const send = (...args: readonly (string | number)[]): Promise<unknown> =>
    client.sendCommand(args.map(String) as never, OPTIONS)
  return { ...commandsOf((_, ...args) => send(...args)), ...serverOf(async () => client) }
}

function clusterOf(cluster: NodeRedisCluster): RedisCluster {
  return {
    ...commandsOf((key, ...args) => cluster.sendCommand(key, false, args.map(String) as never, OPTIONS)),
    nodes: () =>
      cluster.masters.map((master) => serverOf(async () => (await cluster.nodeClient(master as never)) as NodeRedis)),
  }
}

type Send = (firstKey: string | undefined, ...args: readonly (string | number)[]) => Promise<unknown>

const commandsOf = (send: Send): RedisCommands => ({
  evalsha: (sha, keyCount, ...rest) => send(rest[0], 'EVALSHA', sha, keyCount, ...rest),
  eval: (script, keyCount, ...rest) => send(rest[0], 'EVAL', script, keyCount, ...rest),
  ping: () => send(undefined, 'PING'),
})

const serverOf = (client: () => Promise<NodeRedis>): RedisServer => ({
  script: async (load, script) => (await client()).sendCommand(['SCRIPT', load, script] as never, OPTIONS),
  scan: async (...args) =>
    (await (await client()).sendCommand(['SCAN', ...args.map(String)] as never, OPTIONS)) as [string, string[]],
})
