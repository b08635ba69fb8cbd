import type { TestServer } from '../../test/servers/index.ts'
import { type Cell, type IdleLoad, idleLoad, runCell } from '../coordinators/cell.ts'
import { type Condition, conditions } from '../coordinators/conditions.ts'
import { faketime } from '../coordinators/node-process.ts'
import type { Rival } from '../coordinators/rival.ts'
import { rivals } from '../coordinators/rivals/index.ts'
import { exactly, figure, type Result } from '../harness/result.ts'
import type { BenchContext, Row } from '../harness/row.ts'
import { shortly } from '../harness/shortly.ts'
import { markdownTable } from '../harness/table.ts'
import { within } from '../harness/within.ts'

const JOBS = 50
const KINDS = [
  { name: 'instant', takes: 0 },
  { name: '50ms', takes: 50 },
] as const

const COLUMNS = [
  'twice',
  'missed',
  'due',
  'p50 ms',
  'p99 ms',
  'store work/tick',
  'CPU ms/tick',
  'idle: store work/s',
  'idle: CPU %',
]

/** Every process has every job; who runs what is up to the coordinator. The judge and the witness are the same for all. */
export const coordinators: Row = {
  name: 'coordinators',
  what: '50 jobs each second on several processes, under wrong clocks, pauses, kills and restarts, coordinator by coordinator',
  rivals: true,
  async run(context) {
    const { options, say } = context
    const kinds = chosen('kind of job', KINDS, options.jobs)
    const under = chosen('condition', conditions, options.conditions)
    const compared = chosen('coordinator', rivals, options.rivals)
    const results: Result[] = []
    const lines: string[][] = []
    for (const processes of options.processes) {
      const idle = new Map<string, IdleLoad>()
      for (const rival of compared) {
        const load = await onOwnServer(context, rival, `${processes} processes, idle`, (server) =>
          idleLoad(rival, processes, JOBS, server),
        )
        if (!load) continue
        idle.set(rival.name, load)
        results.push(...figuresOfIdle(`coordinators: ${processes} processes, idle`, rival.name, load))
      }
      for (const kind of kinds)
        for (const condition of under)
          for (const rival of compared) {
            const where = `${processes} processes, ${kind.name}, ${condition.name}`
            const cell = await tryCell(context, rival, condition, processes, kind.takes, where)
            if (!cell) continue
            const own = idle.get(rival.name)
            lines.push([where, rival.name, ...columnsOf(cell), ...[own?.storeWork, own?.cpu].map(digits)])
            say(`  ${lines.at(-1)?.join(' | ')}`)
            results.push(...figuresOf(`coordinators: ${where}`, rival.name, cell))
          }
    }
    say(`\n${markdownTable(['under', 'coordinator', ...COLUMNS], lines)}`)
    return results
  },
}

/** Those of the names, all when there are none. @throws {TypeError} for a name that nothing has. */
function chosen<Item extends { readonly name: string }>(
  what: string,
  all: readonly Item[],
  names: readonly string[],
): readonly Item[] {
  const known = all.map(({ name }) => name)
  for (const name of names)
    if (!known.includes(name)) throw new TypeError(`there is no ${what} "${name}"; there are ${known.join(', ')}`)
  return all.filter(({ name }) => names.length === 0 || names.includes(name))
}

async function tryCell(
  context: BenchContext,
  rival: Rival,
  condition: Condition,
  processes: number,
  takes: number,
  where: string,
): Promise<Cell | undefined> {
  if (condition.clock && !faketime()) {
    context.say(`!!! NOT MEASURED: ${condition.name} needs Debian's package faketime`)
    return undefined
  }
  const { seconds } = context.options
  const work = (server: TestServer) => runCell({ rival, condition, processes, jobs: JOBS, takes, seconds }, server)
  return await onOwnServer(context, rival, where, work, { durable: condition.restarts ?? false })
}

/** A server of its own for each cell: what one coordinator leaves behind is nothing to the next. A cell that fails is a line, and no result. */
async function onOwnServer<Answer>(
  context: BenchContext,
  rival: Rival,
  where: string,
  work: (server: TestServer) => Promise<Answer>,
  options: { readonly durable?: boolean } = {},
): Promise<Answer | undefined> {
  const server = await context.fresh(rival.store, options)
  if (!server) return undefined
  try {
    return await work(server)
  } catch (error) {
    context.say(`!!! NOT MEASURED: ${rival.name}, ${where}: ${shortly(String(error))}`)
    return undefined
  } finally {
    await within(20_000, `the end of ${rival.store}`, server.stop()).catch(({ message }) =>
      context.say(`!!! ${message}`),
    )
  }
}

const digits = (value = Number.NaN): string => (Number.isNaN(value) ? '–' : value.toFixed(value < 10 ? 2 : 0))

const columnsOf = (cell: Cell): string[] => [
  `${cell.twice}`,
  `${cell.missed}`,
  `${cell.due}`,
  ...[cell.p50, cell.p99, cell.storeWork, cell.cpu].map((value) => digits(value)),
]

const measured = (results: readonly Result[]): Result[] => results.filter(({ value }) => !Number.isNaN(value))

const figuresOfIdle = (name: string, rival: string, { storeWork, cpu }: IdleLoad): Result[] =>
  measured([
    figure(`${name}: store work for a process and second`, rival, storeWork, 'commands'),
    figure(`${name}: CPU for a process`, rival, cpu, '% of a core'),
  ])

function figuresOf(name: string, rival: string, cell: Cell): Result[] {
  const aim = rival.startsWith('ticklock') ? exactly(0) : undefined
  return measured([
    figure(`${name}: ticks run twice`, rival, cell.twice, `of ${cell.due}`, aim),
    figure(`${name}: ticks missed`, rival, cell.missed, `of ${cell.due}`, aim),
    figure(`${name}: lateness p50`, rival, cell.p50, 'ms'),
    figure(`${name}: lateness p99`, rival, cell.p99, 'ms'),
    figure(`${name}: store work for a tick`, rival, cell.storeWork, 'commands'),
    figure(`${name}: CPU for a tick`, rival, cell.cpu, 'ms'),
  ])
}
