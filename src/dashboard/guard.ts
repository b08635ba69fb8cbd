/* Who may look, and who may act. */
import type { Context, MiddlewareHandler } from 'hono'
import { hostnameOf, isKnownHost } from '../web/hosts.ts'
import { hasToken } from '../web/token.ts'
import type { CheckedDashboardOptions } from './options.ts'

/**
 * The page sends this header with each request. No form or image of another site can set it, and a script of another site needs a CORS preflight for it,
 * which is refused.
 */
export const OWN_HEADER = 'x-ticklock'

type Access = Pick<CheckedDashboardOptions, 'token' | 'protectReading' | 'hosts'>

/** Requests of the fetch kind may have no Host header; their URL has the host. */
const hostOf = (c: Context): string => c.req.header('host') ?? new URL(c.req.url).host

/** Whether a page of another site sent the request, by what browsers say about it. */
function isCrossSite(c: Context, hosts: Access['hosts']): boolean {
  const site = c.req.header('sec-fetch-site')
  // Only browsers set it, and no script can. It stays right where a proxy rewrites Host.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  const origin = c.req.header('origin')
  if (origin === undefined) return false
  if (!URL.canParse(origin)) return true
  const { host } = new URL(origin)
  return host !== hostOf(c) && !(hosts !== 'any' && hosts.has(hostnameOf(host) ?? ''))
}

/** Refuses requests from pages of other sites, under unknown names, and without the token where reading needs it. */
export const guardReading =
  ({ token, protectReading, hosts }: Access): MiddlewareHandler =>
  async (c, next) => {
    if (isCrossSite(c, hosts)) return c.json({ error: 'requests of other sites are refused' }, 403)
    // Whoever has the token is no script of an attacker, under whatever name.
    if (!hasToken(c.req.header('authorization'), token)) {
      if (!isKnownHost(hostOf(c), hosts)) return c.json({ error: unknownHost(hostOf(c)) }, 421)
      if (protectReading) return unauthorized(c)
    }
    return next()
  }

/** Lets only the page itself act, with the token. */
export const guardActing =
  ({ token, hosts }: Access): MiddlewareHandler =>
  async (c, next) => {
    if (token === undefined) return c.json({ error: 'no token is set up, so this page only shows' }, 403)
    if (isCrossSite(c, hosts) || c.req.header(OWN_HEADER) === undefined)
      return c.json({ error: 'requests of other sites are refused' }, 403)
    if (!/^application\/json *(;|$)/i.test(c.req.header('content-type') ?? ''))
      return c.json({ error: 'send JSON, with the header content-type: application/json' }, 415)
    if (!hasToken(c.req.header('authorization'), token)) return unauthorized(c)
    return next()
  }

function unauthorized(c: Context): Response {
  c.header('www-authenticate', 'Bearer')
  return c.json({ error: 'the token is missing or wrong' }, 401)
}

const unknownHost = (host: string): string =>
  `the dashboard is not known as ${JSON.stringify(hostnameOf(host) ?? '?')}: add the name to its option hosts (ticklock run --http-hosts)`
