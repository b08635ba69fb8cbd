import { type Cell, runCell } from '../coordinators/cell.ts'
import { type Condition, conditions } from '../coordinators/conditions.ts'
import { faketime } from '../coordinators/node-process.ts'
import type { Rival } from '../coordinators/rival.ts'
import { rivals } from '../coordinators/rivals/index.ts'
import { exactly, figure, type Result } from '../harness/result.ts'
import type { BenchContext, Row } from '../harness/row.ts'
import { markdownTable } from '../harness/table.ts'

const JOBS = 50
const KINDS = [
  { name: 'instant', takes: 0 },
  { name: '50ms', takes: 50 },
] as const

const COLUMNS = ['twice', 'missed', 'due', 'p50 ms', 'p99 ms', 'store work/tick', 'CPU ms/tick']

/** Every process has every job; who runs what is up to the coordinator. The judge and the witness are the same for all. */
export const coordinators: Row = {
  name: 'coordinators',
  what: '50 jobs each second on several processes, under wrong clocks, pauses, kills and restarts, coordinator by coordinator',
  rivals: true,
  async run(context) {
    const { options, say } = context
    const chosen = <Item extends { readonly name: string }>(all: readonly Item[], names: readonly string[]) =>
      all.filter(({ name }) => names.length === 0 || names.includes(name))
    const results: Result[] = []
    const lines: string[][] = []
    for (const processes of options.processes)
      for (const kind of chosen(KINDS, options.jobs))
        for (const condition of chosen(conditions, options.conditions))
          for (const rival of chosen(rivals, options.rivals)) {
            const cell = await tryCell(context, rival, condition, processes, kind.takes)
            if (!cell) continue
            const where = `${processes} processes, ${kind.name}, ${condition.name}`
            lines.push([where, rival.name, ...columnsOf(cell)])
            say(`  ${lines.at(-1)?.join(' | ')}`)
            results.push(...figuresOf(`coordinators: ${where}`, rival.name, cell))
          }
    say(`\n${markdownTable(['under', 'coordinator', ...COLUMNS], lines)}`)
    return results
  },
}

async function tryCell(
  context: BenchContext,
  rival: Rival,
  condition: Condition,
  processes: number,
  takes: number,
): Promise<Cell | undefined> {
  const { say, options } = context
  if (condition.clock && !faketime()) {
    say(`!!! NOT MEASURED: ${condition.name} needs Debian's package faketime`)
    return undefined
  }
  // A server of its own for each cell: what one coordinator leaves behind is nothing to the next.
  const server = await context.fresh(rival.store)
  if (!server) return undefined
  try {
    return await runCell({ rival, condition, processes, jobs: JOBS, takes, seconds: options.seconds }, server)
  } catch (error) {
    say(`!!! NOT MEASURED: ${rival.name}, ${condition.name}: ${error}`)
    return undefined
  } finally {
    await server.stop()
  }
}

const digits = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(value < 10 ? 2 : 0))

const columnsOf = (cell: Cell): string[] => [
  `${cell.twice}`,
  `${cell.missed}`,
  `${cell.due}`,
  ...[cell.p50, cell.p99, cell.storeWork, cell.cpu].map(digits),
]

function figuresOf(name: string, rival: string, cell: Cell): Result[] {
  const aim = rival.startsWith('ticklock') ? exactly(0) : undefined
  const all = [
    figure(`${name}: ticks run twice`, rival, cell.twice, `of ${cell.due}`, aim),
    figure(`${name}: ticks missed`, rival, cell.missed, `of ${cell.due}`, aim),
    figure(`${name}: lateness p50`, rival, cell.p50, 'ms'),
    figure(`${name}: lateness p99`, rival, cell.p99, 'ms'),
    figure(`${name}: store work for a tick`, rival, cell.storeWork, 'commands'),
    figure(`${name}: CPU for a tick`, rival, cell.cpu, 'ms'),
  ]
  return all.filter(({ value }) => !Number.isNaN(value))
}
