/* A web server that a few hundred clients can't exhaust: neither its memory nor the file descriptors that the jobs of this process need. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { Socket } from 'node:net'

export interface ConnectionLimits {
  /** The most open connections. */
  readonly connections: number
  /** A whole request must arrive within this many ms of the connection, or of its first byte. */
  readonly requestWithin: number
  /** A connection that moved no byte for this many ms is closed. */
  readonly silentFor: number
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  connections: 100,
  requestWithin: 10_000,
  // Longer than the pause between two heartbeats of a stream of events.
  silentFor: 30_000,
}

/** One connection too many closes the one that has been idle longest, so that idle ones keep out neither probes nor people. */
export function boundedServer(listener: RequestListener, limits: ConnectionLimits = CONNECTION_LIMITS): Server {
  const open = new Set<Socket>()
  /** Those without a request under way, longest first. */
  const idle = new Set<Socket>()
  const server = createServer(
    {
      requestTimeout: limits.requestWithin,
      connectionsCheckingInterval: Math.min(1_000, limits.requestWithin),
      keepAlive: true,
      keepAliveInitialDelay: limits.silentFor,
    },
    (request, response) => {
      const { socket } = request
      idle.delete(socket)
      response.once('close', () => {
        if (open.has(socket)) idle.add(socket)
      })
      listener(request, response)
    },
  )
  server.timeout = limits.silentFor
  server.on('connection', (socket) => {
    open.add(socket)
    idle.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      idle.delete(socket)
    })
    if (open.size <= limits.connections) return
    // The newcomer is idle itself, and the last one.
    const [longest = socket] = idle
    open.delete(longest)
    idle.delete(longest)
    longest.destroy()
  })
  return server
}
