import { resolve } from 'node:path'
import { MAX_CLOCK_SKEW } from '../lock/lock-options.ts'
import { JOB_DEFAULTS } from '../scheduler/job-options.ts'
import { bareMilliseconds } from './bare-milliseconds.ts'
import { readModule } from './check-job.ts'
import { lengthOf } from './checks.ts'
import type { Config, DefaultsConfig, HttpConfig, JobConfig } from './config.ts'
import { readStatus } from './http-status.ts'
import type { Action, HttpAction, JobPlan, Plan, ProcessSettings, StatusRange } from './plan.ts'
import type { Source } from './source.ts'
import type { StorePlan } from './store.ts'
import { whatRuns } from './what-runs.ts'

/** Makes the plan of a config that was found to be right. */
export function makePlan(
  source: Source,
  config: Config,
  file: string,
  folder: string,
  stores: readonly StorePlan[],
): Plan {
  const defaults = config.defaults ?? {}
  const usual = defaultStoreName(stores, defaults.store)
  const maxClockSkew = ms('maxClockSkew', config.maxClockSkew ?? MAX_CLOCK_SKEW)
  return {
    file,
    folder,
    stores: stores.map((store) => ({ ...store, maxClockSkew })),
    warnings: bareMilliseconds(config, source),
    label: config.label,
    spread: config.spread ?? true,
    storeTimeout: ms('storeTimeout', config.storeTimeout ?? '5s'),
    maxClockSkew,
    stopGraceFor: ms('stopGraceFor', config.stopGraceFor ?? '20s'),
    jobs: config.jobs.map((job, index) =>
      jobPlan(job, defaults, folder, usual, whatRuns(job, source, ['jobs', index])),
    ),
  }
}

/** The store of a job that names none. */
export const defaultStoreName = (stores: readonly Pick<StorePlan, 'name'>[], ofDefaults: string | undefined): string =>
  ofDefaults ?? (stores.length === 1 ? stores[0]?.name : undefined) ?? 'default'

function jobPlan(job: JobConfig, defaults: DefaultsConfig, folder: string, usual: string, runs: string): JobPlan {
  const timeout = job.timeout ?? defaults.timeout
  const given = Object.fromEntries(
    JOB_DEFAULTS.map((option) => [option, job[option] ?? defaults[option]]).filter(([, value]) => value !== undefined),
  )
  const { name, cron, every, metadata, expectEvery } = job
  const zone = job.timezone ?? defaults.timezone
  const options = {
    name,
    ...(cron === undefined ? { every } : { cron, ...(zone !== undefined && { timezone: zone }) }),
    ...(metadata !== undefined && { metadata }),
    ...(expectEvery !== undefined && { expectEvery }),
    ...given,
  }
  return {
    name,
    description: job.description,
    enabled: job.enabled ?? true,
    store: job.store ?? usual,
    options,
    action: actionOf(job, defaults, folder),
    runs,
    timeout: timeout === undefined ? undefined : ms('timeout', timeout),
  }
}

function actionOf(job: JobConfig, defaults: DefaultsConfig, folder: string): Action {
  if (job.http !== undefined) return httpActionOf(typeof job.http === 'string' ? { url: job.http } : job.http)
  if (job.module !== undefined) return { kind: 'module', ...readModule(job.module, folder) }
  const settings: ProcessSettings = {
    cwd: resolve(folder, job.cwd ?? defaults.cwd ?? '.'),
    env: Object.fromEntries(
      Object.entries({ ...defaults.env, ...job.env }).map(([key, value]) => [key, String(value)]),
    ),
    killAfter: ms('killAfter', job.killAfter ?? defaults.killAfter ?? '5s'),
  }
  return job.exec === undefined
    ? { kind: 'shell', script: job.shell ?? '', ...settings }
    : { kind: 'exec', command: job.exec, ...settings }
}

function httpActionOf({ url, method, headers = {}, body, expectStatus = '2xx' }: HttpConfig): HttpAction {
  const isText = typeof body === 'string'
  const hasType = Object.keys(headers).some((header) => header.toLowerCase() === 'content-type')
  return {
    kind: 'http',
    url,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: body === undefined || isText || hasType ? headers : { 'content-type': 'application/json', ...headers },
    body: body === undefined || isText ? body : JSON.stringify(body),
    expectStatus: [expectStatus].flat().map((status) => readStatus(status) as StatusRange),
  }
}

const ms = (option: string, value: unknown): number => lengthOf(option, value) as number
