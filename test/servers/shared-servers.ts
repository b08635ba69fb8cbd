import { startServers, stopServers, type TestServers } from './start-servers.ts'

interface Shared {
  users: number
  readonly servers: Promise<TestServers>
}

/** Vitest loads this module once for each of its projects, so the servers that these share are kept outside of it. */
const KEY = Symbol.for('ticklock.test.servers')
const place = globalThis as { [KEY]?: Shared }

/** The servers of this process, started by whoever comes first. */
export async function acquireServers(): Promise<TestServers> {
  place[KEY] ??= { users: 0, servers: startAndReport() }
  place[KEY].users++
  return await place[KEY].servers
}

/** The last one to go stops them. */
export async function releaseServers(): Promise<void> {
  const shared = place[KEY]
  if (!shared || --shared.users > 0) return
  delete place[KEY]
  await stopServers(await shared.servers)
}

async function startAndReport(): Promise<TestServers> {
  const servers = await startServers()
  for (const [name, server] of Object.entries(servers)) {
    if ('unavailable' in server) console.error(`!!! NOT TESTED on ${name}: ${server.unavailable}`)
  }
  return servers
}
