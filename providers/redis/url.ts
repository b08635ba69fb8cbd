import { InvalidOptionError } from '../../src/errors.ts'

/** What a URL says about where Redis is. */
export type RedisAddress = Login &
  (
    | { readonly kind: 'single'; readonly hosts: readonly Host[]; readonly db: number }
    | { readonly kind: 'socket'; readonly path: string; readonly db: number }
    | { readonly kind: 'sentinel'; readonly hosts: readonly Host[]; readonly master: string; readonly db: number }
    | { readonly kind: 'cluster'; readonly hosts: readonly Host[] }
  )

interface Login {
  readonly username: string | undefined
  readonly password: string | undefined
  readonly tls: TlsOptions | undefined
  /** The version of IP: 4, 6, or 0 for either. */
  readonly family: number | undefined
}

export interface TlsOptions {
  /** The file of the authority to trust, in place of the system's. */
  readonly ca: string | undefined
  /** Whether the server's certificate is verified. */
  readonly verify: boolean
}

export interface Host {
  readonly host: string
  readonly port: number
}

const FORMS =
  "url must be 'redis://host:port/db', 'rediss://…' for TLS, 'redis+unix:///path/to/socket', 'redis+sentinel://host:port,host:port/master/db' or 'redis+cluster://host:port,host:port'"

const PARTS = /^redis(s?)(?:\+(unix|sentinel|cluster))?:\/\/(?:([^/?#]*)@)?([^@/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/
const PARAMETERS = ['ca', 'verify', 'family', 'db']

/**
 * Reads a URL of Redis. User and password are those of the data servers. The parameters are `ca=FILE` and `verify=none` with TLS, `family=4`, `6` or `0`, and `db=N`
 * where a path stands in its place.
 *
 * @throws {InvalidOptionError} for anything else. The message never has the URL in it, since that may hold a password.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const [whole, secure, form = 'single', login, list = '', path = '', query = ''] = PARTS.exec(url) ?? []
  if (whole === undefined) throw new InvalidOptionError(FORMS)
  const parameters = new URLSearchParams(query)
  const unknown = [...parameters.keys()].find((key) => !PARAMETERS.includes(key))
  if (unknown !== undefined)
    throw new InvalidOptionError(
      `url has the parameter ${JSON.stringify(unknown)}, but only ${PARAMETERS.join(', ')} are known`,
    )
  const [username, password] = login?.split(/:(.*)/s).map(decode) ?? []
  const common = {
    username: username || undefined,
    password: password || undefined,
    tls: tlsIn(parameters, secure === 's'),
    family: parameters.has('family') ? numberIn('family', parameters.get('family'), /^[046]$/) : undefined,
  }
  const db = parameters.get('db')
  if (form === 'unix') {
    if (list !== '' || path.length < 2 || secure) throw new InvalidOptionError(FORMS)
    return { kind: 'socket', ...common, path: decode(path), db: numberIn('db', db ?? '0') }
  }
  const named = list === '' && form === 'single' ? 'localhost' : list
  const hosts = named.split(',').map((text) => parseHost(text, form === 'sentinel' ? 26_379 : 6_379))
  if (!hosts.every((host) => host !== undefined)) throw new InvalidOptionError(FORMS)
  const [first, second, ...more] = path.split('/').slice(1)
  if (more.length > 0) throw new InvalidOptionError(FORMS)
  if (form === 'sentinel') {
    if (!first) throw new InvalidOptionError(FORMS)
    return { kind: 'sentinel', ...common, hosts, master: decode(first), db: numberIn('db', second || db || '0') }
  }
  if (second || (form === 'cluster' && (first || db !== null))) throw new InvalidOptionError(FORMS)
  if (form === 'cluster') return { kind: 'cluster', ...common, hosts }
  if (hosts.length !== 1) throw new InvalidOptionError(FORMS)
  return { kind: 'single', ...common, hosts, db: numberIn('db', first || db || '0') }
}

function tlsIn(parameters: URLSearchParams, secure: boolean): TlsOptions | undefined {
  const [ca, verify] = [parameters.get('ca') ?? undefined, parameters.get('verify') ?? undefined]
  if (!secure && (ca ?? verify) !== undefined)
    throw new InvalidOptionError("the parameters 'ca' and 'verify' of url need TLS: begin it with 'rediss'")
  if (ca === '' || (verify !== undefined && verify !== 'none'))
    throw new InvalidOptionError("the parameters of url are 'ca=FILE' and 'verify=none'")
  return secure ? { ca, verify: verify === undefined } : undefined
}

function numberIn(what: string, text: string | null, form = /^\d{1,5}$/): number {
  if (text !== null && form.test(text)) return Number(text)
  throw new InvalidOptionError(`the ${what} of url must be a number, but is ${JSON.stringify(text)}`)
}

function parseHost(text: string, defaultPort: number): Host | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  return host === undefined ? undefined : { host, port: port === undefined ? defaultPort : Number(port) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a stray % in a password
  }
}
