import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Duration, parseDuration } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { LONGEST_TIMEOUT } from '../provider/wire.ts'
import { readAddress, urlOf } from '../web/address.ts'
import { boundedServer, type TlsFiles } from '../web/connections.ts'
import { nodeListener } from '../web/node-listener.ts'
import { makeApp } from './app.ts'
import { checkApiOptions, checkCount, type LockApiOptions } from './options.ts'

/** The HTTP API to mount in an app of your own. */
export interface LockApi {
  /** Handles a request of the fetch kind. Its path must begin with `/v1/`, or be one of `/healthz`, `/readyz` and `/metrics`. */
  fetch(request: Request): Promise<Response>
  /** Handles a request of `node:http`, Express and the like. Never rejects. */
  handler(request: IncomingMessage, response: ServerResponse): Promise<void>
}

export interface ServeOptions extends LockApiOptions {
  /** Where to listen: `'127.0.0.1:7420'`, `'[::1]:7420'`, `'0.0.0.0:7420'`, or a port alone, which means 127.0.0.1. Port 0 takes a free one. */
  readonly listen: string | number
  /** A certificate and its key, as PEM. @default none: HTTP without TLS */
  readonly tls?: TlsFiles | undefined
  /** The most open connections. One more closes the one that has been idle longest. 1 to 10,000. @default 1000 */
  readonly mostConnections?: number | undefined
}

export interface LockServer {
  /** Such as `http://127.0.0.1:7420/`. */
  readonly url: string
  /** Uses another certificate from now on. */
  renewTls(tls: TlsFiles): void
  /** Takes no new connections, ends the calls under way, for at most `graceFor` (default 10 s), then ends. Idempotent. */
  close(options?: { readonly graceFor?: Duration | undefined }): Promise<void>
}

/** Requests that take longer to arrive are ended, in ms. */
const REQUEST_WITHIN = 10_000
/** Clients keep their connections for the next tick: longer than a job that runs each minute would keep them busy. In ms. */
const IDLE_FOR = 75_000

/**
 * The HTTP API over a provider, for an app that has a server already.
 *
 * @throws {InvalidOptionError} for a wrong option.
 */
export function lockApi(options: LockApiOptions): LockApi {
  const app = makeApp({ options: checkApiOptions(options), isDraining: () => false })
  return { fetch: async (request) => app.fetch(request), handler: nodeListener(app.fetch) }
}

/**
 * Serves locks over HTTP, for `ticklock/http` and for programs in other languages. The provider must be set up, and stays open.
 *
 * @throws {InvalidOptionError} for a wrong option, and for an address beyond this machine without a token.
 */
export async function serve({ listen, tls, mostConnections, ...options }: ServeOptions): Promise<LockServer> {
  const { host, port, isLoopback } = readAddress(listen)
  const checked = checkApiOptions(options)
  if (!isLoopback && checked.token === undefined) {
    throw new InvalidOptionError(
      `serve: listening on ${host}, beyond this machine, needs a token of at least 16 characters; or listen on 127.0.0.1`,
    )
  }
  let closing: Promise<void> | undefined
  const app = makeApp({ options: checked, isDraining: () => closing !== undefined })
  const listener = nodeListener(app.fetch)
  const limits = {
    connections: checkCount(mostConnections, 1_000, 'mostConnections'),
    requestWithin: REQUEST_WITHIN,
    // A call may wait for the store for that long without a byte.
    silentFor: LONGEST_TIMEOUT + REQUEST_WITHIN,
    idleFor: IDLE_FOR,
  }
  const server = boundedServer((request, response) => void listener(request, response), limits, checkTls(tls))
  server.listen(port, host)
  await once(server, 'listening')
  const close = async (graceFor: number): Promise<void> => {
    const closed = once(server, 'close')
    server.close()
    server.closeIdleConnections()
    const timer = setTimeout(() => server.closeAllConnections(), graceFor)
    await closed
    clearTimeout(timer)
  }
  return {
    url: urlOf(tls ? 'https' : 'http', host, (server.address() as AddressInfo).port),
    renewTls: (renewed) => (server as TlsServer).setSecureContext({ ...checkTls(renewed) }),
    close({ graceFor = 10_000 } = {}) {
      closing ??= close(parseDuration(graceFor, { of: 'serve', option: 'graceFor' }))
      return closing
    },
  }
}

function checkTls(tls: TlsFiles | undefined): TlsFiles | undefined {
  if (tls === undefined || (tls.cert && tls.key)) return tls
  throw new InvalidOptionError('serve: tls must have cert and key, as PEM')
}
