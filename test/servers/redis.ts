import { findOrInstall } from './find-program.ts'
import { onFreePort } from './free-port.ts'
import { redisVersion } from './redis-client.ts'
import { ServerProcess } from './server-process.ts'
import type { ServerKind } from './test-server.ts'

/** One Redis, or its fork Valkey. */
export const redis: ServerKind = {
  variable: 'TICKLOCK_TEST_REDIS_URL',
  version: redisVersion,
  async start({ durable = false }) {
    const server = await onFreePort((port) => launchRedis('redis', port, ...(durable ? DURABLE : [])))
    return { url: redisUrl(server.port), processes: [server] }
  },
}

export function redisUrl(port: number): string {
  return `redis://127.0.0.1:${port}`
}

export async function findRedis(): Promise<string> {
  return await findOrInstall('redis-server', 'redis-server', 'valkey-server')
}

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always']

/** A Redis that forgets all when it is killed, as a master without persistence does. */
export async function launchRedis(name: string, port: number, ...options: readonly string[]): Promise<ServerProcess> {
  const fixed = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no']
  return await ServerProcess.launch({
    name,
    port,
    program: await findRedis(),
    args: (folder) => [...fixed, '--dir', folder, ...options],
    probe: () => redisVersion(redisUrl(port)),
  })
}
