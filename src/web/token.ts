/* The secret that a client sends in the header `authorization: Bearer …`. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { InvalidOptionError } from '../errors.ts'

const SHORTEST_TOKEN = 16
const LONGEST_TOKEN = 1_024

/**
 * Refuses a token that no client can send in a header: it would lock everybody out.
 *
 * @param of what the token belongs to, for the message
 * @throws {InvalidOptionError} which never shows the token.
 */
export function checkToken(token: unknown, of: string): void {
  const why = flawOf(token)
  if (why === undefined) return
  throw new InvalidOptionError(
    `${of}: token must be a string of at least ${SHORTEST_TOKEN} printable ASCII characters, but ${why}`,
  )
}

function flawOf(token: unknown): string | undefined {
  if (typeof token !== 'string') return `it is of type ${typeof token}`
  if (/[\r\n]$/.test(token)) return 'it ends with a line break'
  if (token !== token.trim()) return 'it begins or ends with white space'
  if (token.length < SHORTEST_TOKEN) return `it has ${token.length}`
  if (token.length > LONGEST_TOKEN) return `it has ${token.length}, which is more than ${LONGEST_TOKEN}`
  return /^[\x20-\x7e]+$/.test(token) ? undefined : 'it has characters that clients do not send in a header'
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Takes the same time wherever the two differ. */
export const sameToken = (given: string, token: string): boolean => timingSafeEqual(digest(given), digest(token))

/** Whether an `authorization` header has the token. False where there is no token. */
export function hasToken(header: string | undefined, token: string | undefined): boolean {
  const [, given] = /^Bearer +(.+)$/i.exec(header ?? '') ?? []
  return token !== undefined && given !== undefined && sameToken(given, token)
}
