import { type ServerName, startServer } from '../../servers/index.ts'
import { processFamily } from '../../servers/process-family.ts'
import type { ServerProcess } from '../../servers/server-process.ts'
import { recordFaults } from './records.ts'
import type { StoreUnderChaos } from './store.ts'

/** A server of our own that keeps what it acknowledged, and may be killed and stopped. */
export async function serverStore(kind: ServerName): Promise<StoreUnderChaos> {
  const server = await startServer(kind, { durable: true })
  if ('unavailable' in server) throw new Error(`${kind}: ${server.unavailable}`)
  const { url, version, processes } = server
  const [own] = processes
  const faults: StoreUnderChaos['faults'] = {
    ...(own && { 'store-killed': () => killed(own), 'store-stopped': () => stopped(own) }),
    ...recordFaults(kind, url),
  }
  return { kind, url, version, port: Number(new URL(url).port), faults, stop: () => server.stop() }
}

/** Killed with all its children, as by a power cut of its machine: a PostgreSQL whose backends outlive it would not start again. */
export async function killed(server: ServerProcess): Promise<() => Promise<void>> {
  const family = server.pid === undefined ? [] : processFamily(server.pid)
  await server.kill()
  for (const pid of family) end(pid)
  return () => server.start()
}

async function stopped(server: ServerProcess): Promise<() => void> {
  server.pause()
  return () => server.resume()
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended with its parent.
  }
}
