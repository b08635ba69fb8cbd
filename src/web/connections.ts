/* A web server that a few hundred clients can't exhaust: neither its memory nor the file descriptors that the jobs of this process need. */
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'

export interface ConnectionLimits {
  /** The most open connections. */
  readonly connections: number
  /** A whole request must arrive within this many ms of the connection, or of its first byte. */
  readonly requestWithin: number
  /** A connection that moved no byte for this many ms is closed. */
  readonly silentFor: number
  /** A connection without a request under way is closed after this many ms. @default Node's */
  readonly idleFor?: number
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  connections: 100,
  requestWithin: 10_000,
  // Longer than the pause between two heartbeats of a stream of events.
  silentFor: 30_000,
}

/** A certificate and its key, as PEM. */
export interface TlsFiles {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

/** One connection too many closes the one that has been idle longest, so that idle ones keep out neither probes nor people. */
export function boundedServer(
  listener: RequestListener,
  limits: ConnectionLimits = CONNECTION_LIMITS,
  tls?: TlsFiles,
): Server {
  const open = new Map<string, Socket>()
  /** Those without a request under way, longest first. */
  const idle = new Set<string>()
  const options: ServerOptions = {
    requestTimeout: limits.requestWithin,
    connectionsCheckingInterval: Math.min(1_000, limits.requestWithin),
    keepAlive: true,
    keepAliveInitialDelay: limits.silentFor,
    ...(limits.idleFor !== undefined && { keepAliveTimeout: limits.idleFor }),
  }
  const onRequest: RequestListener = (request, response) => {
    const peer = peerOf(request.socket)
    idle.delete(peer)
    response.once('close', () => {
      if (open.has(peer)) idle.add(peer)
    })
    listener(request, response)
  }
  const server = tls
    ? createTlsServer({ ...options, ...tls, handshakeTimeout: limits.requestWithin }, onRequest)
    : createServer(options, onRequest)
  server.timeout = limits.silentFor
  // Also with TLS this is the plain connection, so that those without a handshake count.
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket)
    open.set(peer, socket)
    idle.add(peer)
    socket.once('close', () => {
      if (open.get(peer) !== socket) return
      open.delete(peer)
      idle.delete(peer)
    })
    if (open.size <= limits.connections) return
    // The newcomer is idle itself, and the last one.
    const [longest = peer] = idle
    const closed = open.get(longest)
    open.delete(longest)
    idle.delete(longest)
    closed?.destroy()
  })
  return server
}

/** The same for the plain connection and for TLS on it. */
const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`
