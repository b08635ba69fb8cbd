import { InvalidOptionError } from '../../src/errors.ts'

const EXPECTED = 'postgres: url must look like "postgres://user:password@host:5432/database"'

/**
 * Checks a URL as far as that is possible without connecting.
 *
 * @throws {InvalidOptionError} for one that `pg` would not understand, or would understand as something else. The value is not shown, since it
 * may contain a password.
 */
export function checkUrl(url: unknown): string {
  if (typeof url !== 'string' || !/^postgres(ql)?:\/\//i.test(url)) throw new InvalidOptionError(EXPECTED)
  const [authority = ''] = url.slice(url.indexOf('//') + 2).split(/[/?#]/, 1)
  const rest = url.slice(url.indexOf('//') + 2 + authority.length)
  if (!authority.includes('@') && /^[^?]*@/.test(rest)) throw unescaped()
  const hosts = authority.slice(authority.lastIndexOf('@') + 1)
  if (hosts.includes(',') || /[?&]host=[^&]*(,|%2c)/i.test(url)) throw severalHosts()
  if (/[?&]target_session_attrs=/i.test(url)) throw severalHosts()
  // As pg reads it: a user without a host means a socket, which is named by a parameter.
  const parsed = parse(url.replace('@/', '@socket/'))
  if (!parsed) throw unescaped()
  for (const part of [parsed.username, parsed.password, parsed.pathname, parsed.hostname]) {
    if (!isEncoded(part)) throw unescaped()
  }
  return url
}

function parse(url: string): URL | undefined {
  try {
    return new URL(url)
  } catch {
    return undefined
  }
}

function isEncoded(part: string): boolean {
  try {
    decodeURIComponent(part)
    return true
  } catch {
    return false
  }
}

const unescaped = (): InvalidOptionError =>
  new InvalidOptionError(
    `${EXPECTED}, but can't be read; write special characters of the user's name and the password as encodeURIComponent does: ` +
      '# as %23, / as %2F, ? as %3F, @ as %40, : as %3A, % as %25',
  )

const severalHosts = (): InvalidOptionError =>
  new InvalidOptionError(
    'postgres: url names several hosts or has target_session_attrs, which the package pg knows nothing of; give one host name that follows the primary, ' +
      'such as that of a proxy, or a pool of your own',
  )
