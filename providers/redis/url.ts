import { InvalidOptionError } from '../../src/errors.ts'

/** What a URL says about where Redis is. */
export type RedisAddress =
  | { readonly kind: 'single'; readonly url: string }
  | (Login & {
      readonly kind: 'sentinel'
      readonly hosts: readonly Host[]
      readonly master: string
      readonly db: number
    })
  | (Login & { readonly kind: 'cluster'; readonly hosts: readonly Host[] })

interface Login {
  readonly username: string | undefined
  readonly password: string | undefined
  readonly tls: boolean
}

export interface Host {
  readonly host: string
  readonly port: number
}

const LIST = /^redis(s?)\+(sentinel|cluster):\/\/(?:([^@/]*)@)?([^@/?#]+)(?:\/([^/?#]+)(?:\/(\d{1,5}))?)?\/?$/

/**
 * Reads `redis://`, `rediss://` (TLS), `redis+sentinel://[user:password@]host[:port][,host[:port]…]/master[/db]` and
 * `redis+cluster://[user:password@]host[:port][,host[:port]…]`, the last two with TLS as `rediss+…`. User and password are those of the
 * data servers.
 *
 * @throws {InvalidOptionError} for any other; the message never has the URL in it, since that may hold a password.
 */
export function parseRedisUrl(url: string): RedisAddress {
  if (/^rediss?:\/\//.test(url) && URL.canParse(url)) return { kind: 'single', url }
  const [, secure, kind, login, list, master, db] = LIST.exec(url) ?? []
  const hosts = list?.split(',').map((text) => parseHost(text, kind === 'sentinel' ? 26_379 : 6_379))
  if (!hosts?.every((host) => host !== undefined) || (kind === 'sentinel') !== (master !== undefined)) {
    throw new InvalidOptionError(
      "url must be 'redis://…', 'rediss://…', 'redis+sentinel://host:port,host:port/master/db' or 'redis+cluster://host:port,host:port'",
    )
  }
  const [username, password] = login?.split(/:(.*)/s).map(decode) ?? []
  const common = { username: username || undefined, password: password || undefined, tls: secure === 's', hosts }
  return master === undefined
    ? { kind: 'cluster', ...common }
    : { kind: 'sentinel', ...common, master: decode(master), db: Number(db ?? 0) }
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
