// npm run test:compat [-- NAME …]: installs the tarball beside the oldest and the newest of each library into fresh apps, runs the adapters there, and
// writes the table of docs/compatibility.md. With names, those libraries alone, and nothing is written.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startServers, stopServers } from '../servers/index.ts'
import { type App, root } from './app.ts'
import { appWithAll, type Candidate, checkVersion } from './check-version.ts'
import { libraries } from './libraries.ts'
import { compatibilityTable } from './table.ts'
import { type Toolchain, toolchains } from './toolchains.ts'

const names = process.argv.slice(2)
const chosen = <Each extends { readonly name: string }>(all: readonly Each[]): readonly Each[] =>
  names.length === 0 ? all : all.filter(({ name }) => names.includes(name))

process.env.TICKLOCK_TEST_SERVERS ??= 'postgres,mysql,mariadb,mongodb,redis'
const servers = await startServers()
const urlOf = (...kinds: readonly (keyof typeof servers)[]): string | undefined =>
  kinds.map((kind) => servers[kind]).flatMap((server) => ('url' in server ? server.url : []))[0]
const stores = {
  POSTGRES_URL: urlOf('postgres'),
  MYSQL_URL: urlOf('mysql', 'mariadb'),
  MONGODB_URL: urlOf('mongodb'),
  REDIS_URL: urlOf('redis'),
}

async function attempt(of: string, work: Promise<void>): Promise<string | undefined> {
  const failure = await work.then(
    () => undefined,
    (error: Error) => error.message,
  )
  console.log(`${failure === undefined ? 'ok  ' : 'FAIL'} ${of}${failure === undefined ? '' : `\n     ${failure}`}`)
  return failure
}

const tryCandidate = (candidate: Candidate, app: App | undefined): Promise<string | undefined> =>
  attempt(`${candidate.library.name} ${candidate.version}`, checkVersion(candidate, app, stores))

async function tryToolchain(toolchain: Toolchain): Promise<{ toolchain: Toolchain; failed: boolean }> {
  return { toolchain, failed: (await attempt(toolchain.name, toolchain.check(stores))) !== undefined }
}

/** Two at a time. */
async function each<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  const waiting = [...items.entries()]
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await work(next[1])
  }
  await Promise.all([worker(), worker()])
  return results
}

try {
  const candidates = chosen(libraries).flatMap((library) => library.versions.map((version) => ({ library, version })))
  const shared = candidates.filter(({ library }) => !library.beside)
  const app = shared.length === 0 ? undefined : await appWithAll(shared)
  const failures = await each(candidates, (candidate) => tryCandidate(candidate, app))
  app?.remove()
  const outcomes = chosen(libraries).map((library) => {
    const failed = candidates.filter((each, index) => each.library === library && failures[index] !== undefined)
    return { library, failed: failed.map(({ version }) => version) }
  })
  const tools = await each(chosen(toolchains), tryToolchain)
  if (names.length === 0) {
    const page = join(root, 'docs', 'compatibility.md')
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const text = readFileSync(page, 'utf8')
    writeFileSync(
      page,
      text.replace(/<!-- table -->[\s\S]*<!-- end -->/, () => compatibilityTable(outcomes, tools, manifest)),
    )
  }
  process.exitCode = outcomes.some(({ failed }) => failed.length > 0) || tools.some(({ failed }) => failed) ? 1 : 0
} finally {
  await stopServers(servers)
}
