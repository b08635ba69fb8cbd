import { InvalidOptionError } from '../../src/errors.ts'

/** What a URL says about where NATS is, as `connect` of `@nats-io/transport-node` takes it. */
export interface NatsAddress {
  readonly servers: string[]
  readonly user?: string
  readonly pass?: string
  readonly token?: string
  readonly tls?: object
}

const FORM = /^nats(\+tls)?:\/\/(?:(.*)@)?([^@/?#]+)\/?$/
const HOST = /^(?:\[[\da-fA-F:.]+\]|[^:[\]\s,]+)(?::\d{1,5})?$/

/**
 * Reads `nats://[user:password@|token@]host[:port][,host[:port]…]`, or `nats+tls://…` for TLS.
 *
 * @throws {InvalidOptionError} for any other; the message never has the URL in it, since that may hold a password.
 */
export function parseNatsUrl(url: string): NatsAddress {
  const [, secure, login, list = ''] = FORM.exec(url) ?? []
  const servers = list.split(',')
  if (!servers.every((server) => HOST.test(server) && URL.canParse(`nats://${server}`)))
    throw new InvalidOptionError(
      "url must be 'nats://[user:password@]host:port,host:port', or 'nats+tls://…' for TLS; set the bucket by the option bucket",
    )
  return { servers, ...(secure !== undefined && { tls: {} }), ...(login !== undefined && parseLogin(login)) }
}

function parseLogin(login: string): Partial<NatsAddress> {
  const [first = '', pass] = login.split(/:(.*)/s).map(decode)
  if (first === '') throw new InvalidOptionError("url has an empty user; write 'nats://user:password@host:4222'")
  return pass === undefined ? { token: first } : { user: first, pass }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part // a stray % in a password
  }
}
