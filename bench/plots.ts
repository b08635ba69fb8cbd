// npm run bench:plots -- results.json: draws what `npm run bench -- --only growth --json > results.json` measured into docs/performance/*.svg
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Result } from './harness/result.ts'
import { folder, installRivals } from './harness/rivals.ts'
import { chartSvg } from './plots/chart.ts'
import { pointsOf } from './plots/points.ts'

const CHARTS = [
  {
    file: 'decided.svg',
    measure: 'until all are decided',
    title: 'From the tick until every job is decided on every node',
    subtitle: 'All jobs are due in the same second, on each of the nodes',
    axis: 'ms (logarithmic)',
  },
  {
    file: 'store-work.svg',
    measure: 'store work for a node and tick',
    title: 'What a node asks of its store for a tick of all its jobs',
    subtitle:
      'Statements on postgres, commands on redis (those within a script as well), calls of the provider on memory',
    axis: 'for a node and tick (logarithmic)',
  },
  {
    file: 'cpu.svg',
    measure: 'CPU of a node for a tick',
    title: 'CPU time of a node for a tick of all its jobs',
    subtitle: 'Runs and releases included; jobs that do nothing',
    axis: 'ms (logarithmic)',
  },
]

const [file] = process.argv.slice(2)
if (!file) throw new TypeError('which file has the results? npm run bench:plots -- results.json')
installRivals((text) => console.error(text))
const results = JSON.parse(readFileSync(file, 'utf8')) as Result[]
const target = join(folder, '../docs/performance')
mkdirSync(target, { recursive: true })
for (const { file: name, measure, ...chart } of CHARTS) {
  const points = pointsOf(results, measure)
  if (points.length === 0) throw new TypeError(`${file} has no figure of the row "growth" (${measure})`)
  writeFileSync(join(target, name), await chartSvg(chart, points))
  console.log(join('docs/performance', name))
}
