import { isInvalidOption } from '../errors.ts'
import { checkJob, checkValues, type JobCheckContext, unknownStore } from './check-job.ts'
import { withoutValue, wrongWith } from './checks.ts'
import type { Config, DefaultsConfig, StoreConfig } from './config.ts'
import { type Finding, findingsOf, ownerOf, valueAt } from './issues.ts'
import { optionsAt } from './json-schema.ts'
import { defaultStoreName } from './make-plan.ts'
import type { Mistake, Path } from './mistake.ts'
import { configSchema } from './schema.ts'
import { pathKey, type Source } from './source.ts'
import { defaultStore, openStore, readStore, type StorePlan } from './store.ts'

export interface Checked {
  readonly mistakes: readonly Mistake[]
  readonly stores: readonly StorePlan[]
  /** With booleans and numbers that came from the environment as texts. */
  readonly value: unknown
}

/** Further mistakes are counted only. */
const MAX_MISTAKES = 100

/** Checks all of a config, and goes on after each mistake, so that all are reported in one go. */
export async function checkConfig(source: Source, folder: string): Promise<Checked> {
  const { value, findings } = checkTypes(source)
  const wrong = new Set(findings.map(({ path }) => pathKey(path)))
  const isReported = (path: Path): boolean => wrong.has(pathKey(path))
  const config = (isObject(value) ? value : {}) as Partial<Config>

  const stores = await checkStores(config, folder, isReported, findings)
  checkTop(config, source, isReported, findings)
  const defaults = (isObject(config.defaults) ? config.defaults : {}) as DefaultsConfig
  checkValues(defaults, ['defaults'], source, isReported, findings)
  checkDefaultStore(config, defaults, stores, findings)
  const context: JobCheckContext = {
    folder,
    defaults,
    stores: stores.map(({ name }) => name),
    substituted: (path) => source.substituted(path),
  }
  const jobs = Array.isArray(config.jobs) ? config.jobs : []
  for (const [index, job] of jobs.entries()) {
    if (isObject(job))
      findings.push(
        ...checkJob(job, ['jobs', index], context, isReported).filter(
          ({ path }) => !isReported(path) || path.length <= 2,
        ),
      )
  }
  checkNames(jobs, findings)

  const mistakes = findings
    .slice(0, MAX_MISTAKES)
    .map(({ path, at, message }) => source.mistake(path, at, ownerOf(path, value) + message))
  const more = findings.length - mistakes.length
  if (more > 0) mistakes.push(source.mistake([], 'value', `${more} more mistakes: correct these first`))
  return { mistakes, stores: stores.flatMap(({ plan }) => plan ?? []), value }
}

/** By the schema. Booleans and numbers from the environment come as texts, and are read where a boolean or number is wanted. */
function checkTypes(source: Source): { readonly value: unknown; readonly findings: Finding[] } {
  const value = source.value
  for (let round = 0; ; round++) {
    const { success, error } = configSchema.safeParse(value)
    if (success) return { value, findings: [] }
    const findings = findingsOf(error.issues, value, optionsAt)
    const converted = findings.filter(
      ({ path, expected }) => source.substituted(path) && convert(value, path, expected),
    )
    if (converted.length === 0 || round > 0) return { value, findings }
  }
}

function convert(root: unknown, path: Path, expected: Finding['expected']): boolean {
  const text = String(valueAt(root, path))
  const read =
    expected === 'boolean' ? { true: true, false: false }[text] : text.trim() === '' ? undefined : Number(text)
  if (expected === undefined || read === undefined || Number.isNaN(read)) return false
  const holder = valueAt(root, path.slice(0, -1)) as Record<string | number, unknown>
  holder[path.at(-1) ?? ''] = read
  return true
}

interface NamedStore {
  readonly name: string
  /** Undefined for one with a mistake. */
  readonly plan: StorePlan | undefined
}

async function checkStores(
  config: Partial<Config>,
  folder: string,
  isReported: (path: Path) => boolean,
  findings: Finding[],
): Promise<NamedStore[]> {
  const given: (readonly [name: string, store: StoreConfig, path: Path])[] = []
  if (config.store !== undefined) given.push(['default', config.store, ['store']])
  for (const [name, store] of Object.entries(isObject(config.stores) ? config.stores : {})) {
    if (name === 'default' && config.store !== undefined)
      findings.push({ path: ['stores', name], at: 'key', message: 'contradicts store, which is called default too' })
    else given.push([name, store as StoreConfig, ['stores', name]])
  }
  if (given.length === 0) return [{ name: 'default', plan: defaultStore(folder) }]
  return Promise.all(
    given.map(async ([name, store, path]) => ({
      name,
      plan: await checkStore(name, store, path, folder, isReported, findings),
    })),
  )
}

async function checkStore(
  name: string,
  store: StoreConfig,
  path: Path,
  folder: string,
  isReported: (path: Path) => boolean,
  findings: Finding[],
): Promise<StorePlan | undefined> {
  if (isReported(path) || typeof (isObject(store) ? store.url : store) !== 'string') return undefined
  try {
    const plan = readStore(name, store, folder)
    // The provider checks its options itself, and opens nothing before its first use.
    await openStore(plan)
    return plan
  } catch (error) {
    if (!isInvalidOption(error)) throw error
    const message = withoutValue(error.message.replace(/^[a-z]+: /, ''))
    const option = /^\w+/.exec(message)?.[0] ?? ''
    const at = isObject(store) && Object.hasOwn(store, option) ? [...path, option] : path
    if (!isReported(at))
      findings.push({
        path: at,
        at: 'value',
        message: isObject(store) ? message : message.replace(/^url /, path.length === 1 ? 'store ' : ''),
      })
    return undefined
  }
}

const TOP = ['label', 'storeTimeout', 'maxClockSkew', 'stopGraceFor'] as const

function checkTop(
  config: Partial<Config>,
  source: Source,
  isReported: (path: Path) => boolean,
  findings: Finding[],
): void {
  for (const option of TOP) {
    if (config[option] === undefined || isReported([option])) continue
    const wrong = wrongWith(option, config[option], source.substituted([option]))
    if (wrong !== undefined) findings.push({ path: [option], at: 'value', message: wrong })
  }
}

/** A job that names no store needs one all the same. */
function checkDefaultStore(
  config: Partial<Config>,
  defaults: DefaultsConfig,
  stores: readonly NamedStore[],
  findings: Finding[],
): void {
  const names = stores.map(({ name }) => name)
  if (typeof defaults.store === 'string' && !names.includes(defaults.store)) {
    findings.push({ path: ['defaults', 'store'], at: 'value', message: unknownStore(defaults.store, names) })
    return
  }
  const defaultName = defaultStoreName(stores, typeof defaults.store === 'string' ? defaults.store : undefined)
  if (names.includes(defaultName)) return
  for (const [index, job] of (Array.isArray(config.jobs) ? config.jobs : []).entries()) {
    if (isObject(job) && (job as { store?: unknown }).store === undefined)
      findings.push({
        path: ['jobs', index],
        at: 'value',
        message: `store is missing, here or in the defaults; the stores are ${names.join(', ')}`,
      })
  }
}

/** A name is a lock's name: two jobs of one name would keep each other from running. */
function checkNames(jobs: readonly unknown[], findings: Finding[]): void {
  const seen = new Map<string, number>()
  for (const [index, job] of jobs.entries()) {
    const name = isObject(job) ? (job as { name?: unknown }).name : undefined
    if (typeof name !== 'string') continue
    const first = seen.get(name)
    if (first === undefined) seen.set(name, index)
    else
      findings.push({
        path: ['jobs', index, 'name'],
        at: 'value',
        message: `name is used before, by jobs[${first}]: each job needs its own`,
      })
  }
}

const isObject = (value: unknown): value is Record<string, unknown> & object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
