import { availableParallelism } from 'node:os'
import { serverNames, startServer } from './start-server.ts'
import type { ServerName, ServerUnavailable, TestServer } from './test-server.ts'

/** All the servers that the tests want. */
export type TestServers = Readonly<Record<ServerName, TestServer | ServerUnavailable>>

/** Limits which servers are started: names with commas between them. Meant for work on one provider. */
const ONLY = 'TICKLOCK_TEST_SERVERS'

/** Starts all servers, as many at a time as there are processors, those that take longest first. */
export async function startServers(): Promise<TestServers> {
  const servers: Partial<Record<ServerName, TestServer | ServerUnavailable>> = {}
  const only = process.env[ONLY]?.split(',')
  const waiting = [...serverNames]
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name; name = waiting.shift()) {
      servers[name] =
        !only || only.includes(name) ? await startServer(name) : { unavailable: `left out by ${ONLY}=${only.join()}` }
    }
  }
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work))
  return servers as TestServers
}

/** Stops those that were started. */
export async function stopServers(servers: TestServers): Promise<void> {
  await Promise.all(Object.values(servers).map((server) => ('stop' in server ? server.stop() : undefined)))
}
