import { randomUUID } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { ConfigNotFoundError } from '../config/find.ts'
import { ConfigError } from '../config/mistake.ts'
import type { JobPlan, Plan } from '../config/plan.ts'
import type { StorePlan } from '../config/store.ts'
import { parseDuration } from '../duration.ts'
import { StoreError } from '../errors.ts'
import { plural, span } from '../format/format.ts'
import { NEVER } from '../lock/provider-client.ts'
import type { LockProvider } from '../provider/contract.ts'
import { shellWord } from '../provider/record.ts'
import { NOTABLE_SKEW } from '../scheduler/clock/skew-watch.ts'
import type { Cli } from './cli.ts'
import { loadPlan } from './config-option.ts'
import { installedDriver, missingDriver } from './driver.ts'
import { readLocks, whyOf, withStore } from './locks.ts'
import { chooseStores, type StoreOption } from './store-option.ts'
import { warningsOf } from './ticks.ts'
import { version } from './version.ts'

export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail'
  readonly what: string
  /** What to do about it. */
  readonly todo?: string | undefined
}

const ok = (what: string): Finding => ({ level: 'ok', what })
const warn = (what: string, todo?: string): Finding => ({ level: 'warn', what, todo })
const fail = (what: string, todo?: string): Finding => ({ level: 'fail', what, todo })

/** The name that is requested, and never granted. */
const PROBE = 'ticklock doctor'
/** The most unreadable or crashed locks that are named. */
const MOST_NAMES = 20
const SLOW = 500

/** Looks at everything, one thing after another. */
export async function* checkup(cli: Cli, options: StoreOption): AsyncGenerator<Finding> {
  yield checkNode()
  let plan: Plan | undefined
  try {
    plan = await loadPlan(cli, options)
    const disabled = plan.jobs.filter(({ enabled }) => !enabled).length
    yield ok(`${plan.file}: ${plural(plan.jobs.length, 'job')}${disabled ? `, ${disabled} of them disabled` : ''}`)
  } catch (error) {
    const isMissing = error instanceof ConfigNotFoundError
    // With a store at hand there need not be a config.
    if (isMissing && options.config === undefined && (options.store ?? cli.environment.TICKLOCK_STORE))
      yield ok('no config here; only the store is checked')
    else if (isMissing || error instanceof ConfigError)
      yield fail(error.message, isMissing ? undefined : 'mend the config; "ticklock validate" shows the same')
    else throw error
  }
  for (const job of plan?.jobs ?? []) yield* checkJob(job, cli)
  for (const warning of plan ? warningsOf(plan, Date.now()) : []) yield warn(warning, 'correct the config')
  let stores: readonly StorePlan[] = []
  try {
    stores = await chooseStores(cli, options)
  } catch (error) {
    if (plan) throw error
  }
  for (const store of stores) yield* checkStore(store)
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const what = `ticklock ${version()} on Node.js ${process.versions.node}, ${process.platform} ${process.arch}`
  const fits = major === 20 ? minor >= 19 : major === 22 ? minor >= 12 : major > 22
  return fits ? ok(what) : fail(what, 'Node.js 20.19, 22.12 or later is needed')
}

function* checkJob(job: JobPlan, cli: Cli): Generator<Finding> {
  const { name, action, timeout, options, enabled } = job
  if (!enabled) return
  const of = `job ${JSON.stringify(name)}`
  if ('cwd' in action && !isFolder(action.cwd))
    yield fail(`${of}: there is no folder ${action.cwd}`, 'make it, or mend cwd')
  else if (
    action.kind === 'exec' &&
    !hasProgram(action.command[0] ?? '', action.cwd, { ...cli.environment, ...action.env }.PATH)
  )
    yield fail(`${of}: there is no program ${action.command[0]}`, 'install it, or mend exec or PATH')
  const lease = parseDuration(options.lockAtMostFor, { option: 'lockAtMostFor' })
  if (!options.keepAlive && timeout !== undefined && timeout > lease)
    yield warn(
      `${of}: a run may take ${span(timeout)}, but its lock lasts ${span(lease)}`,
      'set keepAlive: true, a longer lockAtMostFor, or a shorter timeout',
    )
}

async function* checkStore(store: StorePlan): AsyncGenerator<Finding> {
  const { kind, shown } = store
  const where = `${kind.name} at ${shown}`
  if (kind.name === 'memory') {
    yield warn(
      `${where}: each process has its own locks, so every machine runs every tick`,
      'name a store that the machines share',
    )
    return
  }
  const missing = missingDriver(kind)
  if (missing !== undefined) {
    yield fail(`${where}: ${missing}`)
    return
  }
  const driver = installedDriver(kind)
  if (driver !== undefined) yield ok(`${where}: driver ${driver}`)
  try {
    const locks = await readLocks(store)
    yield ok(`${where}: reachable, ${plural(locks.length, 'lock')}`)
    const unreadable = locks.flatMap((lock) => (lock.state === 'unreadable' ? [lock.problem] : []))
    for (const problem of unreadable.slice(0, MOST_NAMES)) yield fail(`${where}: ${problem}`)
    for (const lock of locks.filter((each) => each.state !== 'unreadable' && each.isAhead).slice(0, MOST_NAMES))
      yield warn(
        `${where}: the last tick of ${lock.name} lies in the future, so no tick runs until then`,
        `run: ticklock reset ${shellWord(lock.name)}`,
      )
    const crashed = locks.filter(({ state }) => state === 'crashed').map(({ name }) => name)
    if (crashed.length > 0)
      yield warn(
        `${where}: ${someOf(crashed)}: the last run crashed, or lost its lock`,
        "look at that run's log; onCrash: rerun has such ticks run again",
      )
  } catch (error) {
    yield fail(whyOf(error), todoFor(error))
    return
  }
  try {
    yield* await withStore(store, (provider) => probe(where, provider))
  } catch (error) {
    yield fail(
      whyOf(error),
      todoFor(error) ?? "the store's user must be allowed to read and write the locks: see docs/providers",
    )
  }
}

/**
 * Sends what a node sends, and leaves no record: a request for a tick that every store refuses, and the extension of a lease that nobody holds, which
 * needs the right to write. Their results bring the store's clock.
 */
async function probe(where: string, provider: LockProvider): Promise<Finding[]> {
  const holder = { name: PROBE, owner: randomUUID(), label: PROBE }
  // The first call of a process also connects, and measures the clock of a store that shows whole seconds.
  await provider.read([PROBE])
  const sentAt = Date.now()
  const begun = performance.now()
  const [refused] = await provider.acquire([{ ...holder, lockAtMostFor: 1, tick: NEVER, maxClockSkew: 0 }])
  const took = performance.now() - begun
  const [extended] = await provider.extend([{ ...holder, lockAtMostFor: 1, lockAtLeastFor: 0 }])
  for (const result of [refused, extended]) if (result instanceof Error) throw result
  if (!refused || refused instanceof Error || refused.granted)
    throw new StoreError('it granted a tick of the year 9000')
  const skew = sentAt + took / 2 - refused.storeTime
  return [
    ok(`${where}: locks can be read and written; nothing was written`),
    took < SLOW
      ? ok(`${where}: responds within ${span(took)}`)
      : warn(`${where}: took ${span(took)} to respond`, 'ticks begin so much later; storeTimeout must be longer'),
    clockFinding(where, skew, took / 2),
  ]
}

/** `skew`: by how many ms this clock is ahead, ± `error`. */
function clockFinding(where: string, skew: number, error: number): Finding {
  const off = Math.abs(skew)
  if (off - error < NOTABLE_SKEW)
    return ok(`${where}: this clock and its clock differ by ${span(off)} at most ± ${span(error)}`)
  return warn(
    `${where}: this machine's clock is ${span(off)} ${skew > 0 ? 'ahead of' : 'behind'} its clock`,
    'ticks go by the clock of the store; set this one right, by NTP',
  )
}

function todoFor(error: unknown): string | undefined {
  const text = whyOf(error)
  if (/setup\(\)|does not exist|doesn't exist/.test(text)) return 'run "ticklock setup"'
  if (/ECONNREFUSED|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|did not answer|timed? ?out/i.test(text))
    return 'is the server up, and are host and port right? can this machine reach it?'
  if (/auth|password|denied|NOAUTH|WRONGPASS/i.test(text))
    return 'are user and password right, and may this user use this database?'
  return undefined
}

const someOf = (names: readonly string[]): string =>
  names.slice(0, MOST_NAMES).join(', ') + (names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '')

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory()
}

function hasProgram(program: string, cwd: string, path = ''): boolean {
  const isFile = (file: string): boolean => existsSync(file) && statSync(file).isFile()
  if (/[\\/]/.test(program)) return isFile(resolve(cwd, program))
  return path
    .split(delimiter)
    .some(
      (folder) =>
        isFile(join(folder, program)) ||
        isFile(join(folder, `${program}.exe`)) ||
        isFile(join(folder, `${program}.cmd`)),
    )
}
