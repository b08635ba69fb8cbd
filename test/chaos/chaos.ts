// npm run chaos -- --provider P|all [--ticks N] [--seed N] [--seeds N] [--nodes N] [--break NAME] [--keep] [--json]
import { parseArgs } from 'node:util'
import { findFaketime } from './faketime.ts'
import { fileStore } from './faults/file-store.ts'
import { serverStore } from './faults/server-store.ts'
import { chaosJobs } from './jobs.ts'
import type { BreakName } from './node/breaks.ts'
import { type ChaosReport, runChaos } from './run-chaos.ts'
import { printReports } from './table.ts'
import { weatherFor } from './weather.ts'

const PROVIDERS = [
  'postgres',
  'mysql',
  'mariadb',
  'mongodb',
  'redis',
  'dynamodb',
  'etcd',
  'nats',
  'zookeeper',
  'sqlite',
] as const
type ProviderName = (typeof PROVIDERS)[number]

const { values } = parseArgs({
  options: {
    provider: { type: 'string', default: 'all' },
    ticks: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '5' },
    break: { type: 'string', default: 'none' },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

const providers = values.provider === 'all' ? PROVIDERS : values.provider.split(',').map(known)
const firstSeed = values.seed === undefined ? Math.floor(Math.random() * 1e6) : Number(values.seed)
const perSecond = chaosJobs.reduce((sum, { interval }) => sum + 1_000 / interval, 0)
const weather = weatherFor((Number(values.ticks) / perSecond) * 1_000)
const faketime = await findFaketime().catch((error: Error) => {
  console.error(`!!! all clocks are right in this run: ${error.message}`)
  return undefined
})

const reports: ChaosReport[] = []
for (const provider of providers) {
  for (let seed = firstSeed; seed < firstSeed + Number(values.seeds); seed++) reports.push(await run(provider, seed))
}
if (values.json) console.log(JSON.stringify(reports, undefined, 2))
else printReports(reports)
const broken = reports.some(({ verdict }) => verdict.violations.length > 0)
// By hand: Node 20 was once seen to spin for ever in the cleanup of its handles, when all was done (node::Environment::CleanupHandles).
process.stdout.write('', () => process.exit(broken ? 1 : 0))

async function run(provider: ProviderName, seed: number): Promise<ChaosReport> {
  console.error(`${provider}: seed ${seed}, ${Math.round(weather.length / 1_000)} s`)
  const store = provider === 'sqlite' ? await fileStore() : await serverStore(provider)
  try {
    const nodes = Math.max(5, Number(values.nodes))
    return await runChaos({
      store,
      seed,
      nodes,
      weather,
      faketime,
      broken: values.break as BreakName,
      keep: values.keep,
    })
  } finally {
    await store.stop()
  }
}

function known(name: string): ProviderName {
  const found = PROVIDERS.find((provider) => provider === name)
  if (!found) throw new Error(`no such provider: ${name}; there are ${PROVIDERS.join(', ')} and all`)
  return found
}
