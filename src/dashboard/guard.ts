/* Who may look, and who may act. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'

/** What the page sends along with each request of its own: no form or image of another site can, and a script of one would be asked first (CORS), and refused. */
export const OWN_HEADER = 'x-ticklock'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Compares in a time that tells nothing of where the two differ. */
export const sameToken = (given: string, token: string): boolean => timingSafeEqual(digest(given), digest(token))

function hasToken(c: Context, token: string | undefined): boolean {
  const [, given] = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '') ?? []
  return token !== undefined && given !== undefined && sameToken(given, token)
}

/** Another site made the browser ask: by what browsers say of it. */
function isCrossSite(c: Context): boolean {
  const site = c.req.header('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  const origin = c.req.header('origin')
  if (origin === undefined) return false
  return !URL.canParse(origin) || new URL(origin).host !== c.req.header('host')
}

/** Lets requests of other sites' pages go no further; and those without the token, if it is needed to look. */
export const guardReading =
  (token: string | undefined, isProtected: boolean): MiddlewareHandler =>
  async (c, next) => {
    if (isCrossSite(c)) return c.json({ error: 'requests of other sites are refused' }, 403)
    if (isProtected && !hasToken(c, token)) return unauthorized(c)
    await next()
  }

/** Lets only the page itself act, with the token. */
export const guardActing =
  (token: string | undefined): MiddlewareHandler =>
  async (c, next) => {
    if (token === undefined) return c.json({ error: 'no token is set up, so this page only shows' }, 403)
    if (isCrossSite(c) || c.req.header(OWN_HEADER) === undefined)
      return c.json({ error: 'requests of other sites are refused' }, 403)
    if (!c.req.header('content-type')?.startsWith('application/json')) return c.json({ error: 'send JSON' }, 415)
    if (!hasToken(c, token)) return unauthorized(c)
    await next()
  }

function unauthorized(c: Context): Response {
  c.header('www-authenticate', 'Bearer')
  return c.json({ error: 'the token is missing or wrong' }, 401)
}
