import { existsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { ConfigNotFound } from '../config/find.ts'
import { ConfigError } from '../config/mistake.ts'
import type { JobPlan, Plan } from '../config/plan.ts'
import type { StorePlan } from '../config/store.ts'
import { parseDuration } from '../duration.ts'
import { Locker } from '../executor/locker.ts'
import { plural, span } from '../words/words.ts'
import type { Cli } from './cli.ts'
import { loadPlan } from './config-option.ts'
import { readLocks, whyOf, withStore } from './locks.ts'
import { chooseStores, type StoreOption } from './store-option.ts'
import { neverTicking } from './ticks.ts'
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

/** The lock that is taken to see whether it can be. */
const PROBE = 'ticklock doctor'
/** From here on the scheduler warns, too. */
const NOTABLE_SKEW = 1_000
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
    const isMissing = error instanceof ConfigNotFound
    // With a store at hand there need not be a config.
    if (isMissing && options.config === undefined && (options.store ?? cli.environment.TICKLOCK_STORE))
      yield ok('no config here; only the store is checked')
    else if (isMissing || error instanceof ConfigError)
      yield fail(error.message, isMissing ? undefined : 'mend the config; "ticklock validate" shows the same')
    else throw error
  }
  for (const job of plan?.jobs ?? []) yield* checkJob(job, cli)
  for (const never of neverTicking(plan?.jobs ?? [], Date.now())) yield warn(never, 'correct its cron pattern')
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
  const { name, way, timeout, options, enabled } = job
  if (!enabled) return
  const of = `job ${JSON.stringify(name)}`
  if ('cwd' in way && !isFolder(way.cwd)) yield fail(`${of}: there is no folder ${way.cwd}`, 'make it, or mend cwd')
  else if (way.kind === 'exec' && !hasProgram(way.command[0] ?? '', way.cwd, { ...cli.environment, ...way.env }.PATH))
    yield fail(`${of}: there is no program ${way.command[0]}`, 'install it, or mend exec or PATH')
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
  if (kind.driver !== undefined) {
    const found = driverVersion(kind.driver)
    if (found === undefined) {
      yield fail(`${where}: the package ${kind.driver} is not installed`, `npm install ${kind.driver}`)
      return
    }
    yield ok(`${where}: driver ${kind.driver} ${found}`)
  }
  try {
    const locks = await readLocks(store)
    const crashed = locks.filter(({ state }) => state === 'crashed').map(({ name }) => name)
    yield ok(`${where}: reachable, ${plural(locks.length, 'lock')}`)
    if (crashed.length > 0)
      yield warn(
        `${where}: ${crashed.join(', ')}: the last run crashed, or lost its lock`,
        "look at that run's log; onCrash: rerun has such ticks run again",
      )
  } catch (error) {
    yield fail(whyOf(error), todoFor(error))
    return
  }
  try {
    yield* await withStore(store, (provider) => tryLock(where, new Locker({ provider })))
  } catch (error) {
    yield fail(
      whyOf(error),
      todoFor(error) ?? "the store's user must be allowed to read and write the locks: see docs/providers",
    )
  }
}

/** Takes a lock, renews it, gives it back: all that a node does. And reads the clock of the store by the way. */
async function tryLock(where: string, locker: Locker): Promise<Finding[]> {
  const sentAt = Date.now()
  const begun = performance.now()
  const lock = await locker.tryObtain(PROBE, '10s')
  const took = performance.now() - begun
  if (!lock) return [warn(`${where}: another doctor is at work; rights and clock were not checked`)]
  const skew = sentAt + took / 2 - lock.acquiredAt.getTime()
  await lock.refresh()
  await lock.release()
  const findings: Finding[] = [ok(`${where}: a lock can be taken, renewed and given back`)]
  findings.push(
    took < SLOW
      ? ok(`${where}: answers within ${span(took)}`)
      : warn(`${where}: took ${span(took)} to answer`, 'ticks begin so much later; storeTimeout must be longer'),
  )
  const off = Math.abs(skew)
  if (off - took / 2 < NOTABLE_SKEW)
    findings.push(ok(`${where}: this clock and its clock differ by ${span(off)} at most ± ${span(took / 2)}`))
  else
    findings.push(
      warn(
        `${where}: this machine's clock is ${span(off)} ${skew > 0 ? 'ahead of' : 'behind'} its clock`,
        'ticks go by the clock of the store; set this one right, by NTP',
      ),
    )
  return findings
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

function driverVersion(name: string): string | undefined {
  try {
    return driverManifest(name).version
  } catch {
    return undefined
  }
}

/** Not every package exports its package.json. */
function driverManifest(name: string): { readonly version: string } {
  const require = createRequire(import.meta.url)
  for (const folder of require.resolve.paths(name) ?? []) {
    const file = join(folder, name, 'package.json')
    if (existsSync(file)) return require(file) as { version: string }
  }
  throw new Error(`${name} is not installed`)
}

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
