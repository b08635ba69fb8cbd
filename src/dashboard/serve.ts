import { type AddressInfo, BlockList, isIP } from 'node:net'
import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { boundedServer } from './connections.ts'
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

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')

/**
 * Serves the page on a port of its own. Beyond loopback a token is demanded, and is then needed to look as well, unless `protectReading: false` says otherwise.
 *
 * @throws {InvalidOptionError} for a wrong option, and for an address beyond loopback without a token.
 */
export async function serveDashboard({ listen, ...options }: ServeOptions): Promise<DashboardServer> {
  const { host, port } = readAddress(listen)
  const isLocal = host === 'localhost' || LOOPBACK.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
  if (!isLocal && options.token === undefined) {
    throw new InvalidOptionError(
      `listening on ${host}, beyond this machine, needs a token of at least 16 characters; or listen on 127.0.0.1`,
    )
  }
  const page = dashboard({ ...options, protectReading: options.protectReading ?? !isLocal })
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
    url: `http://${isIP(host) === 6 ? `[${host}]` : host}:${taken}/`,
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

function readAddress(listen: string | number): { readonly host: string; readonly port: number } {
  const [, host = '127.0.0.1', digits] =
    /^(?:(localhost|[\d.]+|\[[0-9a-fA-F:]+\]):)?(\d{1,5})$/.exec(String(listen)) ?? []
  const bare = host.replace(/^\[|\]$/g, '')
  const port = Number(digits)
  if (digits !== undefined && port <= 65_535 && (bare === 'localhost' || isIP(bare) !== 0)) return { host: bare, port }
  throw new InvalidOptionError(`listen must look like '127.0.0.1:8080' or '[::1]:8080', but is ${show(listen)}`)
}
