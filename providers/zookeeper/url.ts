import { InvalidOptionError } from '../../src/errors.ts'

/** What a URL says about where ZooKeeper is. */
export interface ZooKeeperAddress {
  /** `host:port,host:port`, as the client takes it. */
  readonly servers: string
  /** `user:password`, for the scheme `digest`. */
  readonly login: string | undefined
}

const FORM = /^zookeeper:\/\/(?:(.*)@)?([^@/?#]+)\/?$/
const HOST = /^[^:[\]\s,]+(?::\d{1,5})?$/

/**
 * Reads `zookeeper://[user:password@]host[:port][,host[:port]…]`.
 *
 * @throws {InvalidOptionError} for any other; the message never has the URL in it, since that may hold a password.
 */
export function parseZooKeeperUrl(url: string): ZooKeeperAddress {
  const [, login, servers = ''] = FORM.exec(url) ?? []
  const fits = servers.split(',').every((server) => HOST.test(server) && URL.canParse(`zookeeper://${server}`))
  if (!fits)
    throw new InvalidOptionError(
      "url must be 'zookeeper://[user:password@]host:port,host:port'; set the znode of the locks by the option root",
    )
  if (login !== undefined && !/^[^:]+:/.test(login))
    throw new InvalidOptionError("url must have both a user and a password: 'zookeeper://user:password@host:2181'")
  return { servers, login: login?.split(/:(.*)/s, 2).map(decode).join(':') }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part // a stray % in a password
  }
}
