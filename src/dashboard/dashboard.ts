import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Health, type HealthReport, type OverdueEvent, watchHealth } from '../health/index.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { makeApp } from './app.ts'
import { Live } from './live.ts'
import { nodeHandler } from './node-handler.ts'
import { checkDashboardOptions, type DashboardOptions } from './options.ts'
import { View } from './view.ts'

/** A page to look at schedulers, to be mounted in a web server. */
export interface Dashboard {
  /** For servers that speak the web's own `Request` and `Response`: Hono, Bun, Deno, Next.js route handlers. */
  fetch(request: Request): Response | Promise<Response>
  /** For Node's own `http` server, and as a middleware of Express, Fastify (by `@fastify/express` or `reply.hijack()`) and Nest. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /** Ends what it does in the background. Idempotent. */
  close(): void
}

/**
 * A page that shows jobs, runs and nodes live, by what the store knows of all nodes, and lets whoever has the token trigger, pause and unlock. Also answers `/metrics`, `/healthz`,
 * `/readyz` and `/api`.
 *
 * @example
 * app.use('/jobs', dashboard({ schedulers: scheduler, token: process.env.JOBS_TOKEN }).handler)
 *
 * @throws {InvalidOptionError} for a wrong option.
 */
export function dashboard(options: DashboardOptions): Dashboard {
  const checked = checkDashboardOptions(options)
  const watch = new Watch(checked.schedulers, checked.health)
  const view = new View(checked.schedulers, () => watch.overdue)
  const live = new Live(view, checked.refreshEvery)
  const app = makeApp({ options: checked, view, live, health: (which) => watch.report(which) })
  return {
    fetch: (request) => withSlash(new URL(request.url).pathname, checked.basePath) ?? app.fetch(request),
    handler: nodeHandler(app),
    close() {
      live.close()
      watch.stop()
    },
  }
}

const withSlash = (path: string, basePath: string): Response | undefined =>
  basePath !== '' && path === basePath
    ? new Response(null, { status: 308, headers: { location: `${basePath.slice(basePath.lastIndexOf('/') + 1)}/` } })
    : undefined

/** The health of the schedulers: as it is given, or by a watch of its own for each. */
class Watch {
  readonly #schedulers: () => readonly Scheduler[]
  readonly #given: (() => readonly Health[]) | undefined
  readonly #own = new Map<Scheduler, Health>()

  constructor(schedulers: () => readonly Scheduler[], given: (() => readonly Health[]) | undefined) {
    this.#schedulers = schedulers
    this.#given = given
    if (!given) this.#healths()
  }

  get overdue(): readonly OverdueEvent[] {
    return this.#healths().flatMap(({ overdue }) => overdue)
  }

  report(which: 'live' | 'ready' | 'report'): HealthReport {
    const reasons = [...new Set(this.#healths().flatMap((health) => health[which]().reasons))]
    return { ok: reasons.length === 0, reasons }
  }

  stop(): void {
    for (const health of this.#own.values()) health.stop()
  }

  #healths(): readonly Health[] {
    if (this.#given) return this.#given()
    const schedulers = this.#schedulers()
    for (const [scheduler, health] of this.#own) {
      if (schedulers.includes(scheduler)) continue
      health.stop()
      this.#own.delete(scheduler)
    }
    return schedulers.map((scheduler) => {
      const health = this.#own.get(scheduler) ?? watchHealth(scheduler)
      this.#own.set(scheduler, health)
      return health
    })
  }
}
