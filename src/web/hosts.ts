/* The names under which the dashboard may be called. A name that an attacker points at this server (DNS rebinding) is none of them. */
import { isIP } from 'node:net'
import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'

export type Hosts = readonly string[] | 'any'

/**
 * Host names in the form in which requests carry them.
 *
 * @throws {InvalidOptionError} for anything but host names.
 */
export function checkHosts(hosts: unknown, of: string): ReadonlySet<string> | 'any' {
  if (hosts === 'any') return hosts
  if (!Array.isArray(hosts))
    throw new InvalidOptionError(
      `${of}: hosts must be an array of host names such as ['jobs.example.com'], or 'any', but is ${show(hosts)}`,
    )
  return new Set(hosts.map((host) => checkHost(host, of)))
}

function checkHost(host: unknown, of: string): string {
  const name = typeof host === 'string' && /^[^\s:/?#@\\[\]]+$/.test(host) ? hostnameOf(host) : undefined
  if (name !== undefined) return name
  throw new InvalidOptionError(
    `${of}: hosts must be host names without scheme, port and path, such as 'jobs.example.com', but one is ${show(host)}`,
  )
}

/** The name in a Host header or an authority, in lower case, without port, brackets and final dot. */
export function hostnameOf(authority: string): string | undefined {
  if (/[/?#@\\]/.test(authority) || !URL.canParse(`http://${authority}`)) return undefined
  return new URL(`http://${authority}`).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}

/** `localhost` and addresses need no mention: no attacker can make them lead elsewhere. */
export function isKnownHost(authority: string | undefined, hosts: ReadonlySet<string> | 'any'): boolean {
  if (hosts === 'any') return true
  const name = authority === undefined ? undefined : hostnameOf(authority)
  return name !== undefined && (name === 'localhost' || isIP(name) !== 0 || hosts.has(name))
}
