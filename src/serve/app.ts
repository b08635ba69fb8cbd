import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { StoreError } from '../errors.ts'
import type { AcquireResult } from '../provider/contract.ts'
import { API_VERSION, ERROR_CODES, MOST_BYTES, VERSION_HEADER, type WireErrorCode } from '../provider/wire.ts'
import { isKnownHost } from '../web/hosts.ts'
import { hasToken } from '../web/token.ts'
import { CallError, Calls, withDeadline } from './calls.ts'
import { checkBody, withErrors } from './check-body.ts'
import type { CheckedApiOptions } from './options.ts'
import { Readiness } from './readiness.ts'
import { VERBS, type Verb } from './verbs.ts'

export interface AppParts {
  readonly options: CheckedApiOptions
  /** Whether the server is about to end. */
  isDraining(): boolean
}

/** Beyond the caller's timeout, so that a store that keeps to the timeout itself can say why it failed. */
const MARGIN = 250

/** The HTTP API over a provider, and what watches the process. */
export function makeApp({ options, isDraining }: AppParts): Hono {
  const { provider, token, metrics, logger, mostCalls } = options
  const calls = new Calls(mostCalls, logger, metrics && ((count) => metrics.underWay(count)))
  const readiness = new Readiness(provider)
  const guarded = guard(token)

  const app = new Hono()
  app.use(async (c, next) => {
    await next()
    c.header(VERSION_HEADER, String(API_VERSION))
    c.header('cache-control', 'no-store')
    c.header('x-content-type-options', 'nosniff')
    if (isDraining()) c.header('connection', 'close')
  })
  app.notFound((c) =>
    refuse(c, 'NOT_FOUND', `there is no ${c.req.method} ${c.req.path} here; calls are POST /v${API_VERSION}/<verb>`),
  )

  app.get('/healthz', (c) => c.json({ ok: true }))
  app.get('/readyz', async (c) => {
    const ok = !isDraining() && (await readiness.isReady())
    return c.json({ ok }, ok ? 200 : 503)
  })
  app.get('/metrics', guarded, async (c) => {
    if (!metrics) return c.text('no metrics are set up: npm install prom-client\n', 501)
    return c.body(await metrics.register.metrics(), 200, { 'content-type': metrics.register.contentType })
  })

  app.use(`/v${API_VERSION}/*`, guarded)
  for (const verb of VERBS) {
    app.post(
      `/v${API_VERSION}/${verb.path}`,
      measured(verb, options),
      (_, next) => calls.one(next),
      bodyLimit({
        maxSize: MOST_BYTES,
        onError: (c) => refuse(c, 'TOO_LARGE', `the body is larger than ${MOST_BYTES} bytes: send fewer requests`),
      }),
      async (c) => {
        const body = await readBody(c)
        // Nobody would learn what was decided.
        if (c.req.raw.signal.aborted) throw new CallError('INVALID_REQUEST', 'the client has gone away')
        return c.json(await decide(verb, body, options))
      },
    )
  }
  app.onError((error, c) => {
    const { code, message } = calls.wireErrorOf(error, c.req.path)
    if (code === 'BUSY') c.header('retry-after', '1')
    return refuse(c, code, message)
  })
  return app
}

async function readBody(c: Context): Promise<unknown> {
  if (!/^application\/json *(;|$)/i.test(c.req.header('content-type') ?? ''))
    throw new CallError('UNSUPPORTED_MEDIA_TYPE', 'send JSON, with the header content-type: application/json')
  try {
    return JSON.parse(await c.req.text())
  } catch {
    throw new CallError('INVALID_REQUEST', 'the body is not JSON')
  }
}

async function decide(verb: Verb, value: unknown, { provider, metrics }: CheckedApiOptions): Promise<object> {
  const checked = checkBody(verb, value)
  if (typeof checked === 'string') throw new CallError('INVALID_REQUEST', checked)
  const { body, timeout, wrong } = checked
  if (Array.isArray(body) && body.length === 0) return { results: withErrors([], wrong) }
  const response = await withDeadline(timeout + MARGIN, verb.run(provider, body, { timeout }).catch(rethrow))
  if (!verb.item) return response
  const results = withErrors((response as { results: readonly object[] }).results, wrong)
  if (metrics && verb.path === 'acquire') count(results, metrics.acquired)
  return { results }
}

/** Hono lets through what is no `Error`. */
function rethrow(error: unknown): never {
  throw error instanceof Error ? error : new StoreError(String(error))
}

function count(results: readonly object[], report: (result: string, count: number) => void): void {
  const counts = new Map<string, number>()
  for (const result of results as readonly (AcquireResult | { readonly error: unknown })[]) {
    const key = 'error' in result ? 'error' : result.granted ? 'granted' : result.reason
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  for (const [result, number] of counts) report(result, number)
}

/**
 * Lets in whoever has the token. Without a token, no web page: one that a person opens on this machine could call the server, also under a name that
 * an attacker points at it (DNS rebinding).
 */
const guard =
  (token: string | undefined): MiddlewareHandler =>
  async (c, next) => {
    if (token !== undefined) {
      if (hasToken(c.req.header('authorization'), token)) return next()
      c.header('www-authenticate', 'Bearer')
      return refuse(c, 'UNAUTHORIZED', 'the token is missing or wrong')
    }
    const isBrowser = c.req.header('origin') !== undefined || c.req.header('sec-fetch-site') !== undefined
    if (isBrowser || !isKnownHost(c.req.header('host') ?? new URL(c.req.url).host, new Set()))
      return refuse(c, 'FORBIDDEN', 'no token is set up, so only programs on this machine may call, by its address')
    return next()
  }

const measured =
  ({ path }: Verb, { metrics }: CheckedApiOptions): MiddlewareHandler =>
  async (c, next) => {
    const begun = performance.now()
    await next()
    metrics?.call(path, c.res.status, (performance.now() - begun) / 1_000)
  }

function refuse(c: Context, code: WireErrorCode, message: string): Response {
  return c.json({ error: { code, message } }, ERROR_CODES[code])
}
