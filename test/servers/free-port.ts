import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the ports that Linux and macOS hand out to outgoing connections. A server on one of those could lose its port
 * while it restarts, even to a client that dials the closed port and by chance connects to itself.
 */
const FIRST_PORT = 15_000
const PORTS = 7_000
/** A node of a Redis cluster also listens here, by Redis's own default. */
const CLUSTER_BUS_OFFSET = 10_000

const handedOut = new Set<number>()

/** A port of 127.0.0.1 that nobody listens on, different at each call. Its cluster bus port is free too. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < PORTS; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS)
    if (handedOut.has(port) || !(await isFree(port)) || !(await isFree(port + CLUSTER_BUS_OFFSET))) continue
    handedOut.add(port)
    return port
  }
  throw new Error(`no free port from ${FIRST_PORT} to ${FIRST_PORT + PORTS - 1}`)
}

/** Starts something on a free port; tries again on another when somebody else took the port in between. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    try {
      return await start(port)
    } catch (error) {
      const taken = !(await isFree(port)) || !(await isFree(port + CLUSTER_BUS_OFFSET))
      if (!taken || attempt === 5) throw error
    }
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
