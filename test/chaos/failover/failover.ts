// npm run chaos:failover -- [--store NAME[,NAME…]] [--rounds N] [--markdown]
import { parseArgs } from 'node:util'
import { type FailoverReport, runFailover } from './run-failover.ts'
import { markdownOf, rowOf } from './table.ts'
import { mariadbScenarios } from './topologies/mariadb.ts'
import { postgresScenarios } from './topologies/postgres.ts'
import { redisScenarios } from './topologies/redis.ts'
import type { Scenario } from './topology.ts'

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    markdown: { type: 'boolean', default: false },
  },
})

const all: readonly Scenario[] = [...postgresScenarios, ...mariadbScenarios, ...redisScenarios]
const wanted = values.store.split(',').filter(Boolean)
const unknown = wanted.find((name) => !all.some((scenario) => scenario.name === name))
if (unknown !== undefined) {
  throw new Error(`no such store: ${unknown}; there are ${all.map(({ name }) => name).join(', ')}`)
}

/** Shows at most so many of what was broken in a round. */
const SHOWN = 3

const rows = []
for (const scenario of all.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const reports: FailoverReport[] = []
  for (let round = 1; round <= Number(values.rounds); round++) {
    const report = await runFailover(scenario)
    tell(scenario.name, round, report)
    reports.push(report)
  }
  rows.push(rowOf(scenario, reports))
}
if (values.markdown) console.log(markdownOf(rows))
else console.table(rows)
// Whatever a store forgets, no token may ever repeat or go back.
process.exitCode = rows.some(({ fencing }) => fencing > 0) ? 1 : 0

function tell(name: string, round: number, { broken, ...report }: FailoverReport): void {
  console.error(name, round, JSON.stringify(report))
  for (const line of broken.slice(0, SHOWN)) console.error(`  ${line}`)
}
