import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { DURATIONS, lengthOf, wrongWith } from './checks.ts'
import type { DefaultsConfig, HttpConfig, JobConfig } from './config.ts'
import { readStatus } from './http-status.ts'
import type { Finding } from './issues.ts'
import type { Path } from './mistake.ts'
import { suggestion } from './nearest.ts'

/** What a job is checked against. */
export interface JobCheckContext {
  readonly folder: string
  readonly defaults: DefaultsConfig
  readonly stores: readonly string[]
  substituted(path: Path): boolean
}

export const ACTIONS = ['exec', 'shell', 'http', 'module'] as const

const CHECKED = ['name', 'metadata', 'cron', 'timezone', ...Object.keys(DURATIONS)]

/**
 * Checks what the schema can't: values, and options that contradict each other. The job may be wrong in its types, too:
 * mistakes that were reported already are passed over. `told` says of which options.
 */
export function checkJob(
  job: Partial<JobConfig>,
  path: Path,
  context: JobCheckContext,
  isReported: (path: Path) => boolean,
): Finding[] {
  const findings: Finding[] = []
  const report = (option: string, message: string, at: Finding['at'] = 'value'): void => {
    findings.push({ path: option === '' ? path : [...path, ...option.split('.')], at, message })
  }
  checkValues(job, path, context, isReported, findings)
  checkSchedule(job, report)
  checkLengths(job, context.defaults, report)
  checkAction(job, context, report)
  if (typeof job.store === 'string' && !context.stores.includes(job.store))
    report('store', unknownStore(job.store, context.stores))
  return findings
}

type Report = (option: string, message: string, at?: Finding['at']) => void

export const unknownStore = (name: string, stores: readonly string[]): string =>
  `store must be the name of a store of this file${suggestion(name, stores, 'which are').replace('; which are', ', which are')}`

/** Checks each option that is there by itself. Also for defaults. */
export function checkValues(
  options: object,
  path: Path,
  source: Pick<JobCheckContext, 'substituted'>,
  isReported: (path: Path) => boolean,
  findings: Finding[],
): void {
  const check = (option: string, value: unknown, at: Path): void => {
    if (value === undefined || isReported(at)) return
    const wrong = wrongWith(option, value, source.substituted(at))
    if (wrong !== undefined) findings.push({ path: at, at: 'value', message: wrong })
  }
  for (const [option, value] of Object.entries(options)) {
    if (CHECKED.includes(option)) check(option, value, [...path, option])
  }
  const { catchUp } = options as Partial<JobConfig>
  if (typeof catchUp !== 'object' || catchUp === null) return
  const at = [...path, 'catchUp']
  if (
    catchUp.window !== undefined &&
    !isReported([...at, 'window']) &&
    lengthOf('window', catchUp.window) === undefined
  )
    findings.push({
      path: [...at, 'window'],
      at: 'value',
      message: 'catchUp.window must be a duration from 1 ms to 100 years',
    })
  const { max } = catchUp
  if (typeof max === 'number' && !(Number.isInteger(max) && max >= 1 && max <= 1000))
    findings.push({ path: [...at, 'max'], at: 'value', message: 'catchUp.max must be a whole number from 1 to 1000' })
}

function checkSchedule({ cron, every, timezone }: Partial<JobConfig>, report: Report): void {
  if (cron !== undefined && every !== undefined) report('every', 'every contradicts cron: give one of them', 'key')
  if (cron === undefined && every === undefined) report('', 'cron or every is missing: a job needs one of them')
  if (timezone !== undefined && cron === undefined && every !== undefined)
    report('timezone', 'timezone goes with cron, not with every', 'key')
}

function checkLengths(job: Partial<JobConfig>, defaults: DefaultsConfig, report: Report): void {
  const most = job.lockAtMostFor ?? defaults.lockAtMostFor
  const least = job.lockAtLeastFor ?? defaults.lockAtLeastFor
  if (most === undefined) {
    report('', 'lockAtMostFor is missing, here or in the defaults: for how long may a crashed node block this job?')
    return
  }
  const [longest, shortest] = [lengthOf('lockAtMostFor', most), lengthOf('lockAtLeastFor', least ?? 0)]
  if (longest === undefined || shortest === undefined || shortest <= longest) return
  const own = job.lockAtLeastFor === undefined ? 'lockAtMostFor' : 'lockAtLeastFor'
  const other = own === 'lockAtMostFor' ? 'lockAtLeastFor of the defaults' : 'lockAtMostFor'
  report(own, `${own} must not be ${own === 'lockAtMostFor' ? 'shorter' : 'longer'} than the ${other}`)
}

function checkAction(job: Partial<JobConfig>, { folder }: JobCheckContext, report: Report): void {
  const [action, ...further] = ACTIONS.filter((action) => job[action] !== undefined)
  if (action === undefined) report('', 'exec, shell, http or module is missing: a job needs one way to run')
  for (const other of further) report(other, `${other} contradicts ${action}: give one way to run`, 'key')
  if (Array.isArray(job.exec)) checkExec(job.exec, report)
  if (typeof job.shell === 'string' && job.shell.trim() === '') report('shell', 'shell must be a script, but is empty')
  if (typeof job.http === 'string') checkUrl(job.http, 'http', report)
  else if (typeof job.http === 'object' && job.http !== null) checkHttp(job.http, report)
  if (typeof job.module === 'string') checkModule(job.module, folder, report)
  if (action === 'http' || action === 'module') {
    for (const option of ['env', 'cwd', 'killAfter'] as const)
      if (job[option] !== undefined) report(option, `${option} goes with exec and shell, not with ${action}`, 'key')
  }
}

function checkExec(exec: readonly unknown[], report: Report): void {
  if (exec.length === 0 || exec[0] === '') report('exec', 'exec must begin with the program to run')
  if (exec.some((part) => typeof part === 'string' && part.includes('\0')))
    report('exec', 'exec must have no NUL in it')
}

function checkHttp({ url, method, headers, body, expectStatus }: Partial<HttpConfig>, report: Report): void {
  if (typeof url === 'string') checkUrl(url, 'http.url', report)
  if (body !== undefined && (method === 'GET' || method === 'HEAD'))
    report('http.body', `http.body can't go with ${method}`, 'key')
  for (const [name, value] of Object.entries(typeof headers === 'object' && headers ? headers : {})) {
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name))
      report('http.headers', 'http.headers must have names of letters, digits and -', 'key')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    else if (typeof value === 'string' && /[\0-\x08\n-\x1f\x7f]|[^\0-\xff]/.test(value.trim()))
      report(`http.headers.${name}`, `http.headers.${name} must be one line of printable characters`)
  }
  for (const status of [expectStatus ?? []].flat()) {
    if ((typeof status === 'string' || typeof status === 'number') && !readStatus(status))
      report('http.expectStatus', "http.expectStatus must be statuses from 100 to 599, or classes such as '2xx'")
  }
}

const NO_CREDENTIALS =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what the user writes
  'must have no user or password in it: send the header authorization: "Basic ${CREDENTIALS}" instead, where that variable is user:password in base64'

function checkUrl(url: string, option: string, report: Report): void {
  const parsed = /^https?:\/\/./i.test(url) && URL.canParse(url) ? new URL(url) : undefined
  if (!parsed) report(option, `${option} must be an http:// or https:// URL`)
  else if (parsed.username !== '' || parsed.password !== '') report(option, `${option} ${NO_CREDENTIALS}`)
}

function checkModule(module: string, folder: string, report: Report): void {
  const { file } = readModule(module, folder)
  if (!file.includes('\0') && existsSync(file) && statSync(file).isFile()) return
  report('module', `module must be a file, or file#name: there is no file ${JSON.stringify(file)}`)
}

/** `./jobs.ts#report` is the function `report` of that file. */
export function readModule(module: string, folder: string): { readonly file: string; readonly exported: string } {
  const [, file = '', exported = 'default'] = /^(.*?)(?:#(\w*))?$/s.exec(module) ?? []
  return { file: resolve(folder, file), exported: exported || 'default' }
}
