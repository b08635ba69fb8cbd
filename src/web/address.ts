/* Where a server listens. */
import { BlockList, isIP } from 'node:net'
import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'

export interface ListenAddress {
  readonly host: string
  readonly port: number
  /** Whether only this machine reaches it. */
  readonly isLoopback: boolean
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')

/**
 * Reads `'127.0.0.1:8080'`, `'[::1]:8080'`, or a port alone, which means 127.0.0.1.
 *
 * @throws {InvalidOptionError} for anything else.
 */
export function readAddress(listen: string | number): ListenAddress {
  const [, host = '127.0.0.1', digits] =
    /^(?:(localhost|[\d.]+|\[[0-9a-fA-F:]+\]):)?(\d{1,5})$/.exec(String(listen)) ?? []
  const bare = host.replace(/^\[|\]$/g, '')
  const port = Number(digits)
  if (digits !== undefined && port <= 65_535 && (bare === 'localhost' || isIP(bare) !== 0))
    return { host: bare, port, isLoopback: isLoopback(bare) }
  throw new InvalidOptionError(`listen must look like '127.0.0.1:8080' or '[::1]:8080', but is ${show(listen)}`)
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || LOOPBACK.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')

/** The URL of a server that listens there. */
export const urlOf = (scheme: 'http' | 'https', host: string, port: number): string =>
  `${scheme}://${isIP(host) === 6 ? `[${host}]` : host}:${port}/`
