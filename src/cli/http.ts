import { type DashboardServer, serveDashboard } from '../dashboard/index.ts'
import type { Logger } from '../logger.ts'
import type { PrometheusMetrics } from '../prometheus/index.ts'
import type { Cli } from './cli.ts'
import type { Runner } from './config-runner.ts'
import { Failure } from './errors.ts'

/** Where the token comes from: an argument would be seen by everybody who lists processes. */
const TOKEN = 'TICKLOCK_HTTP_TOKEN'

export interface HttpOptions {
  /** Where to listen. */
  readonly http: string
  /** The host names of the page, or `any`, as commas separate them. */
  readonly httpHosts?: string
}

/** Serves the page, the probes and the metrics of a runner. */
export async function serveHttp(
  cli: Cli,
  { http: listen, httpHosts }: HttpOptions,
  runner: Runner,
  logger: Logger,
): Promise<DashboardServer> {
  const metrics = await loadMetrics()
  if (metrics) runner.onScheduler((scheduler) => metrics.watch(scheduler))
  else logger.info({}, 'no /metrics: npm install prom-client to have them')
  const token = cli.environment[TOKEN] || undefined
  const hosts =
    httpHosts === undefined || httpHosts === 'any' ? httpHosts : httpHosts.split(',').map((name) => name.trim())
  try {
    const server = await serveDashboard({ schedulers: () => runner.schedulers, listen, hosts, token, metrics })
    logger.info({}, `page at ${server.url}${token ? '' : `, to look at only: set ${TOKEN} to act by it`}`)
    return server
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined || code === 'INVALID_OPTION') throw error
    throw new Failure(`can't listen on ${listen}: ${message}`)
  }
}

/** Metrics, where their package is installed. */
async function loadMetrics(): Promise<PrometheusMetrics | undefined> {
  try {
    return (await import('../prometheus/index.ts')).prometheus()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}
