import { type Duration, parseDuration, show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import type { Health } from '../health/index.ts'
import { checkBoolean, checkKeys, checkMethods } from '../options.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { checkHosts, type Hosts } from '../web/hosts.ts'
import { checkToken } from '../web/token.ts'

/** Metrics as `ticklock/prometheus` has them: what `/metrics` answers. */
export interface MetricsSource {
  readonly register: { metrics(): Promise<string>; readonly contentType: string }
}

export interface DashboardOptions {
  /** The schedulers to show: one, several with jobs of different names, or a function that answers those of the moment. */
  readonly schedulers: Scheduler | readonly Scheduler[] | (() => readonly Scheduler[])
  /**
   * Whoever knows it may trigger, pause, resume and unlock. 16 to 1,024 printable ASCII characters without a space at either end: browsers send no others.
   * Sent in a header, never in a URL. Without a token the page only shows.
   * @default none
   */
  readonly token?: string | undefined
  /** Whether the token is needed to look, too. The page itself, `/healthz` and `/readyz` are open in any case. @default false */
  readonly protectReading?: boolean | undefined
  /**
   * The host names by which browsers reach the dashboard, such as `['jobs.example.com']`. `localhost` and IP addresses are always among them. A request
   * under another name is refused unless it has the token: an attacker may have pointed that name at this server (DNS rebinding). `'any'` turns the check
   * off, for apps that check names or users themselves.
   * @default []
   */
  readonly hosts?: Hosts | undefined
  /** What `/metrics` answers: that of `prometheus()` of `ticklock/prometheus`. @default none */
  readonly metrics?: MetricsSource | undefined
  /** What `/healthz` and `/readyz` answer: one of `watchHealth()` for each scheduler, or a function that answers them. @default a watch of its own */
  readonly health?: readonly Health[] | (() => readonly Health[]) | undefined
  /** The path under which a handler of `fetch` kind is mounted, such as `'/jobs'`. Express and Fastify tell theirs by themselves. @default '' */
  readonly basePath?: string | undefined
  /** How often the store is read while somebody looks. From 200 ms. @default '1s' */
  readonly refreshEvery?: Duration | undefined
  /**
   * A node that was not seen for so long counts as gone: at least twice `heartbeatEvery` of its recorder. @default
   * '30s'
   */
  readonly goneAfter?: Duration | undefined
  /** The title of the page. @default 'ticklock' */
  readonly title?: string | undefined
}

export interface CheckedDashboardOptions {
  readonly schedulers: () => readonly Scheduler[]
  readonly token: string | undefined
  readonly protectReading: boolean
  readonly hosts: ReadonlySet<string> | 'any'
  readonly metrics: MetricsSource | undefined
  readonly health: (() => readonly Health[]) | undefined
  readonly basePath: string
  readonly refreshEvery: number
  readonly goneAfter: number
  readonly title: string
}

export const DASHBOARD_OPTIONS = [
  'schedulers',
  'token',
  'protectReading',
  'hosts',
  'metrics',
  'health',
  'basePath',
  'refreshEvery',
  'goneAfter',
  'title',
]

const OF = 'dashboard'

/** @throws {InvalidOptionError} that names the option; the token is never shown. */
export function checkDashboardOptions(options: DashboardOptions): CheckedDashboardOptions {
  checkKeys(options, DASHBOARD_OPTIONS, OF)
  const { schedulers, token, basePath = '', health, title = 'ticklock' } = options
  checkBoolean(options.protectReading, OF, 'protectReading')
  if (token !== undefined) checkToken(token, OF)
  if (options.protectReading && token === undefined) throw new InvalidOptionError(`${OF}: protectReading needs a token`)
  if (typeof basePath !== 'string' || !/^(\/[\w.~-]+)*$/.test(basePath))
    throw new InvalidOptionError(
      `${OF}: basePath must look like '/jobs', without a slash at its end, but is ${show(basePath)}`,
    )
  if (options.metrics !== undefined) checkMethods(options.metrics.register, ['metrics'], OF, 'metrics.register')
  return {
    schedulers: typeof schedulers === 'function' ? schedulers : () => [schedulers].flat(),
    token,
    protectReading: options.protectReading ?? false,
    hosts: checkHosts(options.hosts ?? [], OF),
    metrics: options.metrics,
    health: typeof health === 'function' || health === undefined ? health : () => health,
    basePath,
    refreshEvery: parseDuration(options.refreshEvery ?? '1s', { of: OF, option: 'refreshEvery', min: 200 }),
    goneAfter: parseDuration(options.goneAfter ?? '30s', { of: OF, option: 'goneAfter', min: 1_000 }),
    title: String(title).slice(0, 100),
  }
}
