import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { streamSSE } from 'hono/streaming'
import { isInvalidOption, isStoreError } from '../errors.ts'
import type { HealthReport } from '../health/index.ts'
import { perform } from './actions.ts'
import { asset, isAsset } from './assets.ts'
import { guardActing, guardReading } from './guard.ts'
import type { Live, Update } from './live.ts'
import type { CheckedDashboardOptions } from './options.ts'
import type { JobFilter, View } from './view.ts'

const FILTERS: readonly string[] = ['all', 'running', 'paused', 'failing'] satisfies JobFilter[]
const LONGEST_SPAN = 7 * 86_400_000

export interface AppParts {
  readonly options: CheckedDashboardOptions
  readonly view: View
  readonly live: Live
  health(which: 'live' | 'ready'): HealthReport
}

/** The page, what it asks for, and what watches the process: all that is answered over HTTP. */
export function makeApp({ options, view, live, health }: AppParts): Hono {
  const { token, protectReading, metrics, goneAfter, title, basePath } = options
  const app = new Hono({ strict: false }).basePath(basePath)
  app.use(headers())
  app.onError((error, c) => refuse(c, error))

  app.get('/healthz', (c) => report(c, health('live')))
  app.get('/readyz', (c) => report(c, health('ready')))

  const reading = guardReading(token, protectReading)
  app.get('/metrics', reading, async (c) => {
    if (!metrics) return c.text('no metrics are set up: give the dashboard those of ticklock/prometheus\n', 501)
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
  app.get('/api/jobs', async (c) => {
    const filter = c.req.query('filter') ?? 'all'
    const page = Number(c.req.query('page') ?? 1)
    if (!FILTERS.includes(filter) || !Number.isInteger(page)) return c.json({ error: 'no such filter or page' }, 400)
    return c.json(await view.jobs({ search: c.req.query('search') ?? '', filter: filter as JobFilter, page }))
  })
  app.get('/api/job', async (c) => {
    const job = await view.job(c.req.query('name') ?? '')
    return job ? c.json(job) : c.json({ error: 'there is no job of that name' }, 404)
  })
  app.get('/api/timeline', async (c) => {
    const span = Number(c.req.query('span') ?? 3_600_000)
    if (!(span >= 1_000 && span <= LONGEST_SPAN))
      return c.json({ error: 'span must be from 1 s to 7 days, in ms' }, 400)
    return c.json(await view.timeline(span))
  })
  app.get('/api/nodes', async (c) => c.json(await view.nodes()))
  app.get('/api/events', (c) => events(c, live))
  app.post(
    '/api/act',
    guardActing(token),
    bodyLimit({ maxSize: 4_096, onError: (c) => c.json({ error: 'that is too long' }, 413) }),
    async (c) => {
      const { action, job } = (await c.req.json().catch(() => ({}))) as { action?: unknown; job?: unknown }
      const { status, ...answer } = await perform(view, action, job)
      return c.json(answer, status)
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

function events(c: Context, live: Live): Response | Promise<Response> {
  // Some proxies gather what they pass on.
  c.header('x-accel-buffering', 'no')
  return streamSSE(c, async (stream) => {
    const waiting: Update[] = []
    let wake = (): void => {}
    const off = live.listen((update) => {
      // Who reads too slowly gets the newest, and asks for the whole when something is missing.
      if (waiting.push(update) > 20) waiting.splice(0, waiting.length - 1)
      wake()
    })
    stream.onAbort(() => {
      off()
      wake()
    })
    try {
      while (!stream.aborted) {
        for (const update of waiting.splice(0)) await stream.writeSSE({ event: 'update', data: JSON.stringify(update) })
        if (waiting.length > 0 || stream.aborted) continue
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    } finally {
      off()
    }
  })
}

function report(c: Context, { ok, reasons }: HealthReport): Response {
  c.header('cache-control', 'no-store')
  return c.json({ ok, reasons }, ok ? 200 : 503)
}

function refuse(c: Context, error: unknown): Response {
  // What the store says may name hosts and users: it is in the log and in no answer.
  if (isStoreError(error) || !isInvalidOption(error)) return c.json({ error: 'the store did not answer' }, 502)
  return c.json({ error: error.message }, 400)
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
