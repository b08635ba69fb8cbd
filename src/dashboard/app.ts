import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { isInvalidOption, isStoreError } from '../errors.ts'
import type { HealthReport } from '../health/index.ts'
import { MOST_BYTES, readAction } from './action-request.ts'
import { perform } from './actions.ts'
import { asset, isAsset } from './assets.ts'
import { eventStreams } from './events.ts'
import { guardActing, guardReading } from './guard.ts'
import type { Live } from './live.ts'
import type { CheckedDashboardOptions } from './options.ts'
import { readJobsQuery, readSpan } from './queries.ts'
import { StoreReads, TooBusyError } from './store-reads.ts'
import type { View } from './view.ts'

export interface AppParts {
  readonly options: CheckedDashboardOptions
  readonly view: View
  readonly live: Live
  health(which: 'live' | 'ready' | 'report'): HealthReport
}

const NO_METRICS = `no metrics are set up.
With ticklock run --http: npm install prom-client
With dashboard() or serveDashboard(): give the option metrics what prometheus() of ticklock/prometheus returns
`

/** The page, its API, and what watches the process. */
export function makeApp({ options, view, live, health }: AppParts): Hono {
  const { token, metrics, goneAfter, title, basePath } = options
  const reads = new StoreReads()
  /** Equal requests of the moment share one result. */
  const shared = async (c: Context, read: () => Promise<unknown>): Promise<Response> =>
    c.json(await reads.read(c.req.path + new URL(c.req.url).search, read))

  const app = new Hono({ strict: false }).basePath(basePath)
  app.use(headers())
  app.onError((error, c) => refuse(c, error))

  app.get('/healthz', (c) => report(c, health('live')))
  app.get('/readyz', (c) => report(c, health('ready')))

  const reading = guardReading(options)
  app.get('/metrics', reading, async (c) => {
    if (!metrics) return c.text(NO_METRICS, 501)
    return c.body(await metrics.register.metrics(), 200, { 'content-type': metrics.register.contentType })
  })

  app.use('/api/*', async (c, next) => {
    await next()
    c.header('cache-control', 'no-store')
  })
  app.use('/api/*', reading)
  app.get('/api', (c) =>
    c.json({ title, now: view.now(), canAct: token !== undefined, goneAfter, history: view.histories.length > 0 }),
  )
  app.get('/api/health', (c) => report(c, health('report')))
  app.get('/api/jobs', async (c): Promise<Response> => {
    const query = readJobsQuery(c)
    return 'error' in query ? c.json(query, 400) : shared(c, () => view.jobs(query))
  })
  app.get('/api/job', async (c): Promise<Response> => {
    const name = c.req.query('name') ?? ''
    if (!view.schedulerOf(name)) return c.json({ error: 'there is no job of that name' }, 404)
    return shared(c, () => view.job(name))
  })
  app.get('/api/timeline', async (c): Promise<Response> => {
    const span = readSpan(c)
    return typeof span === 'number' ? shared(c, () => view.timeline(span)) : c.json(span, 400)
  })
  app.get('/api/nodes', (c) => shared(c, () => view.nodes()))
  app.get('/api/events', eventStreams(live))
  app.post(
    '/api/act',
    guardActing(options),
    bodyLimit({ maxSize: MOST_BYTES, onError: (c) => c.json({ error: `send ${MOST_BYTES} bytes at most` }, 413) }),
    async (c) => {
      const request = await readAction(c)
      if ('error' in request) return c.json({ error: request.error }, request.status)
      const { status, ...result } = await perform(view, request.action, request.job)
      return c.json(result, status)
    },
  )

  app.get('/', page)
  app.get('/:file', page)
  return app
}

async function page(c: Context): Promise<Response> {
  const name = c.req.param('file') ?? 'index.html'
  if (!isAsset(name)) return c.text('not found\n', 404)
  const { text, type } = await asset(name)
  return c.body(text, 200, { 'content-type': type, 'cache-control': 'no-cache' })
}

function report(c: Context, { ok, reasons }: HealthReport): Response {
  c.header('cache-control', 'no-store')
  return c.json({ ok, reasons }, ok ? 200 : 503)
}

function refuse(c: Context, error: unknown): Response {
  // A store's message may name hosts and users: it is in the log and in no response.
  if (isStoreError(error)) return c.json({ error: 'the store did not answer' }, 502)
  if (isInvalidOption(error)) return c.json({ error: error.message }, 400)
  if (!(error instanceof TooBusyError)) return c.json({ error: 'the dashboard failed' }, 500)
  c.header('retry-after', '1')
  return c.json({ error: error.message }, 503)
}

const headers = () =>
  secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
    xFrameOptions: 'DENY',
    referrerPolicy: 'no-referrer',
    crossOriginOpenerPolicy: 'same-origin',
    crossOriginResourcePolicy: 'same-origin',
    strictTransportSecurity: false,
  })
