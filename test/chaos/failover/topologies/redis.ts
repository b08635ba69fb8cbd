/* Redis: one that restarts, Sentinel, a cluster with replicas, and five that know nothing of each other. */
import { Redis } from 'ioredis'
import { redis } from 'ticklock/redis'
import { redisQuorum } from 'ticklock/redis-quorum'
import { onFreePort } from '../../../servers/free-port.ts'
import { launchRedis, redisUrl } from '../../../servers/redis.ts'
import { redisVersion } from '../../../servers/redis-client.ts'
import { startCluster } from '../../../servers/redis-cluster.ts'
import { launchIndependent } from '../../../servers/redis-quorum.ts'
import { startSentinel } from '../../../servers/redis-sentinel.ts'
import type { ServerProcess } from '../../../servers/server-process.ts'
import type { StartedServer } from '../../../servers/test-server.ts'
import { TcpProxy } from '../../tcp-proxy.ts'
import { readAll, type Scenario, stopAll, type Topology } from '../topology.ts'

async function restart(...options: readonly string[]): Promise<Topology> {
  const server = await onFreePort((port) => launchRedis('redis', port, ...options))
  const address = await TcpProxy.to(server.port)
  return {
    version: await redisVersion(redisUrl(server.port)),
    connect: () => redis(redisUrl(address.port)),
    async fail() {
      address.refuse()
      await server.kill()
      await server.start()
      const survived = await readAll(redis(redisUrl(server.port)))
      address.redirect(server.port)
      return survived
    },
    stop: () =>
      stopAll(
        () => server.stop(),
        () => address.close(),
      ),
  }
}

/** What happens to a master: it answers what its replica holds from then on. */
type Blow = (master: ServerProcess) => Promise<() => Promise<void>>

const kill: Blow = async (master) => {
  await master.kill()
  return () => master.start()
}

/** It goes on where it was, with what its clients have sent meanwhile, before it learns that it was replaced. */
const freeze: Blow = async (master) => {
  master.pause()
  return async () => master.resume()
}

/**
 * Cut off from replica, Sentinels and one of the nodes, while the others still reach it: a password that they don't know keeps new connections
 * out, and those of the former are closed.
 */
const cutOff: Blow = async ({ port }) => {
  const admin = new Redis(redisUrl(port))
  await admin.config('SET', 'requirepass', 'nobody knows it')
  const clients = ((await admin.call('CLIENT', 'LIST', 'TYPE', 'normal')) as string).split('\n')
  const nodes = clients.filter((client) => client.includes('cmd=evalsha'))
  const sentinels = clients.filter((client) => client.includes('name=sentinel'))
  for (const client of [...sentinels, ...nodes.slice(0, 1)]) {
    await admin.call('CLIENT', 'KILL', 'ID', /^id=(\d+)/.exec(client)?.[1] ?? '')
  }
  for (const type of ['replica', 'pubsub']) await admin.call('CLIENT', 'KILL', 'TYPE', type)
  return async () => {
    await admin.config('SET', 'requirepass', '')
    admin.disconnect()
  }
}

async function sentinel(blow: Blow, settings: Readonly<Record<string, string>> = {}): Promise<Topology> {
  const { url, processes } = await startSentinel(1_000)
  const [master, replica] = processes as readonly [ServerProcess, ServerProcess]
  await configure([master, replica], settings)
  let undo: (() => Promise<void>) | undefined
  return {
    version: await redisVersion(url),
    connect: () => redis(url),
    async fail() {
      undo = await blow(master)
      return await readAll(redis(redisUrl(replica.port)))
    },
    restore: async () => undo?.(),
    stop: () => stopProcesses({ url, processes }),
  }
}

async function cluster(blow: Blow): Promise<Topology> {
  const { url, processes } = await startCluster(1, 2_000)
  const master = processes[0] as ServerProcess
  let undo: (() => Promise<void>) | undefined
  return {
    version: await redisVersion(redisUrl(master.port)),
    connect: () => redis(url),
    async fail() {
      undo = await blow(master)
      return undefined // One node holds but a part: what ran twice tells.
    },
    restore: async () => undo?.(),
    stop: () => stopProcesses({ url, processes }),
  }
}

/** @param hit how many of the five are hit at once */
async function quorum(blow: Blow, hit: number, ...options: readonly string[]): Promise<Topology> {
  const servers = await launchIndependent(5, ...options)
  const urls = servers.map(({ port }) => redisUrl(port))
  const connect = () => redisQuorum(urls)
  let undo: (() => Promise<void>)[] = []
  return {
    version: await redisVersion(urls[0] ?? ''),
    connect,
    async fail() {
      undo = await Promise.all(servers.slice(0, hit).map(blow))
      return await readAll(connect())
    },
    restore: async () => void (await Promise.all(undo.map((each) => each()))),
    stop: () => stopProcesses({ url: '', processes: servers }),
  }
}

async function configure(servers: readonly ServerProcess[], settings: Readonly<Record<string, string>>): Promise<void> {
  for (const { port } of servers) {
    const admin = new Redis(redisUrl(port))
    for (const [name, value] of Object.entries(settings)) await admin.config('SET', name, value)
    admin.disconnect()
  }
}

const stopProcesses = ({ processes }: StartedServer): Promise<void> =>
  stopAll(...processes.map((each) => () => each.stop()))

const ALWAYS = ['--appendonly', 'yes', '--appendfsync', 'always']
const RESTART = 'killed, restarted'
const KILL = 'master killed, comes back later'
const FREEZE = 'master stopped, goes on later'
const CUT = 'master cut off from its replica, the Sentinels and one node'
const CAREFUL = { 'min-replicas-to-write': '1', 'min-replicas-max-lag': '2' }

export const redisScenarios: readonly Scenario[] = [
  { name: 'redis-always', store: 'Redis, `appendfsync always`', failure: RESTART, start: () => restart(...ALWAYS) },
  {
    name: 'redis-everysec',
    store: 'Redis, `appendfsync everysec`',
    failure: RESTART,
    start: () => restart('--appendonly', 'yes', '--appendfsync', 'everysec'),
  },
  { name: 'redis-none', store: 'Redis without persistence', failure: RESTART, start: () => restart() },
  { name: 'sentinel', store: 'Redis Sentinel', failure: KILL, start: () => sentinel(kill) },
  { name: 'sentinel-freeze', store: 'Redis Sentinel', failure: FREEZE, after: 7_000, start: () => sentinel(freeze) },
  { name: 'sentinel-cut', store: 'Redis Sentinel', failure: CUT, after: 10_000, start: () => sentinel(cutOff) },
  {
    name: 'sentinel-cut-min-replicas',
    store: 'Redis Sentinel, `min-replicas-to-write 1`, max lag 2 s',
    failure: CUT,
    after: 25_000,
    start: () => sentinel(cutOff, CAREFUL),
  },
  { name: 'cluster', store: 'Redis Cluster', failure: KILL, start: () => cluster(kill) },
  { name: 'cluster-freeze', store: 'Redis Cluster', failure: FREEZE, after: 7_000, start: () => cluster(freeze) },
  {
    name: 'quorum',
    store: 'five Redis, `redis-quorum`, `appendfsync always`',
    failure: 'two of five killed, come back later',
    start: () => quorum(kill, 2, ...ALWAYS),
  },
  {
    name: 'quorum-freeze',
    store: 'five Redis, `redis-quorum`, `appendfsync always`',
    failure: 'two of five stopped, go on later',
    start: () => quorum(freeze, 2, ...ALWAYS),
  },
  {
    name: 'quorum-empty',
    store: 'five Redis, `redis-quorum`, without persistence',
    failure: 'two of five killed, come back empty',
    start: () => quorum(kill, 2),
  },
]
