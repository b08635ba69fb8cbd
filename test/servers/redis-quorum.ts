import { onFreePort } from './free-port.ts'
import { launchRedis, redisUrl } from './redis.ts'
import { redisVersion } from './redis-client.ts'
import type { ServerProcess } from './server-process.ts'
import type { ServerKind } from './test-server.ts'

const SERVERS = 5

/** Five Redis that know nothing of each other and keep what they acknowledge; the URL is theirs, with commas between. */
export const redisQuorum: ServerKind = {
  variable: 'TICKLOCK_TEST_REDIS_QUORUM_URL',
  async version(urls) {
    const versions = await Promise.all(urls.split(',').map(redisVersion))
    return `${versions.length} × ${versions[0]}`
  },
  async start() {
    const servers = await launchIndependent(SERVERS, '--appendonly', 'yes', '--appendfsync', 'always')
    return { url: servers.map(({ port }) => redisUrl(port)).join(), processes: servers }
  },
}

/** So many Redis with these options, side by side. */
export async function launchIndependent(count: number, ...options: readonly string[]): Promise<ServerProcess[]> {
  const servers: ServerProcess[] = []
  try {
    while (servers.length < count) {
      servers.push(await onFreePort((port) => launchRedis(`redis-${servers.length + 1}`, port, ...options)))
    }
    return servers
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()))
    throw error
  }
}
