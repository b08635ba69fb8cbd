import type { AddressInfo } from 'node:net'
import { InvalidOptionError } from '../errors.ts'
import { readAddress, urlOf } from '../web/address.ts'
import { boundedServer } from '../web/connections.ts'
import { dashboard } from './dashboard.ts'
import type { DashboardOptions } from './options.ts'

export interface ServeOptions extends Omit<DashboardOptions, 'basePath'> {
  /** Where to listen: `'127.0.0.1:8080'`, `'[::1]:8080'`, `'0.0.0.0:8080'`, or a port alone, which means 127.0.0.1. Port 0 takes a free one. */
  readonly listen: string | number
}

export interface DashboardServer {
  /** Such as `http://127.0.0.1:8080/`. */
  readonly url: string
  /** Ends the server and the connections. Idempotent. */
  close(): Promise<void>
}

/**
 * Serves the page on a port of its own. Beyond loopback a token is demanded, and is then needed to look as well, unless `protectReading: false` says otherwise.
 *
 * @throws {InvalidOptionError} for a wrong option, and for an address beyond loopback without a token.
 */
export async function serveDashboard({ listen, ...options }: ServeOptions): Promise<DashboardServer> {
  const { host, port, isLoopback } = readAddress(listen)
  if (!isLoopback && options.token === undefined) {
    throw new InvalidOptionError(
      `listening on ${host}, beyond this machine, needs a token of at least 16 characters; or listen on 127.0.0.1`,
    )
  }
  const page = dashboard({ ...options, protectReading: options.protectReading ?? !isLoopback })
  const server = boundedServer((request, response) => void page.handler(request, response))
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  } catch (error) {
    page.close()
    throw error
  }
  const { port: taken } = server.address() as AddressInfo
  let closed: Promise<void> | undefined
  return {
    url: urlOf('http', host, taken),
    close() {
      closed ??= new Promise((resolve) => {
        page.close()
        server.close(() => resolve())
        server.closeAllConnections()
      })
      return closed
    },
  }
}
