// npm run bench [-- --only NAME --json]: see harness/options.ts
import { cpus, totalmem } from 'node:os'
import { interleave } from './harness/interleave.ts'
import { HELP, readOptions } from './harness/options.ts'
import type { Result } from './harness/result.ts'
import { installRivals } from './harness/rivals.ts'
import type { BenchContext } from './harness/row.ts'
import { Servers } from './harness/servers.ts'
import { resultsTable } from './harness/table.ts'
import { rows } from './rows/index.ts'

const options = readOptions(process.argv.slice(2))
const say = (text: string): void => console.error(text)

if (options.help) console.log(HELP)
else if (options.list) for (const { name, what } of rows) console.log(`${name.padEnd(20)} ${what}`)
else await bench()

async function bench(): Promise<void> {
  const wanted = rows.filter(
    ({ name }) => options.only.length === 0 || options.only.some((only) => name.startsWith(only)),
  )
  if (wanted.length === 0) throw new TypeError(`no row is called ${options.only.join(' or ')}; see --list`)
  if (wanted.some(({ rivals }) => rivals)) installRivals(say)
  await using servers = new Servers(say)
  const context: BenchContext = {
    options,
    say,
    server: (name) => servers.get(name),
    fresh: (name, own) => servers.fresh(name, own),
    interleave: options.quick ? (works) => interleave(works, 2, 0) : interleave,
  }
  const results: Result[] = []
  for (const row of wanted) {
    say(`\n${row.name}: ${row.what}`)
    for (const result of await row.run(context))
      if (Number.isNaN(result.value)) say(`!!! NOT MEASURED: ${result.name} on ${result.provider}`)
      else results.push(result)
  }
  if (options.json) return console.log(JSON.stringify(results, undefined, 2))
  const [cpu] = cpus()
  console.log(
    `\nNode.js ${process.version} on ${cpus().length} × ${cpu?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB\n`,
  )
  console.log(resultsTable(results))
}
