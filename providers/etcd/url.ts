import { InvalidOptionError } from '../../src/errors.ts'

/** What a URL says about where etcd is. */
export interface EtcdAddress {
  /** Such as `http://10.0.0.1:2379`, in the order in which they are tried. */
  readonly endpoints: readonly string[]
  readonly login: { readonly name: string; readonly password: string } | undefined
}

const FORM = /^etcd(s?):\/\/(?:(.*)@)?([^@/?#]+)\/?$/
const HOST = /^(?:\[[\da-fA-F:.]+\]|[^:[\]\s]+)(?::\d{1,5})?$/
const DEFAULT_PORT = 2379

/**
 * Reads `etcd://[user:password@]host[:port][,host[:port]…]`, or `etcds://…` for TLS.
 *
 * @throws {InvalidOptionError} for any other; the message never has the URL in it, since that may hold a password.
 */
export function parseEtcdUrl(url: string): EtcdAddress {
  const [, secure, login, list] = FORM.exec(url) ?? []
  const hosts = list?.split(',') ?? []
  const endpoints = hosts.map((host) => {
    const address = /:\d+$/.test(host) ? host : `${host}:${DEFAULT_PORT}`
    return `http${secure}://${address}`
  })
  const fits = hosts.every((host) => HOST.test(host)) && endpoints.every((endpoint) => URL.canParse(endpoint))
  if (hosts.length === 0 || !fits) {
    throw new InvalidOptionError(
      "url must be 'etcd://[user:password@]host:port,host:port', or 'etcds://…' for TLS; set the prefix of the keys by the option prefix",
    )
  }
  return { endpoints, login: parseLogin(login) }
}

function parseLogin(login: string | undefined): EtcdAddress['login'] {
  if (login === undefined) return undefined
  const [name = '', password] = login.split(/:(.*)/s)
  if (name === '' || password === undefined) {
    throw new InvalidOptionError("url must have both a user and a password, as in 'etcd://user:password@host:2379'")
  }
  return { name: decode(name), password: decode(password) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a stray % in a password
  }
}
