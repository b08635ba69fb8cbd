import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestServer } from '../../test/servers/index.ts'
import { forkProgram } from '../harness/fork-program.ts'
import { median } from '../harness/statistics.ts'
import { countStatements, storeWork, workBetween } from '../harness/store-work.ts'
import { within } from '../harness/within.ts'
import { cells, type Place, periodOf, type Size } from './cells.ts'
import type { Order, Told } from './protocol.ts'

/** What a size costs. */
export interface Cost {
  readonly size: Size
  /** From a tick until its last job is decided on the last node, in ms; NaN when that did not come before the next tick. */
  readonly decided: number
  /** Statements, commands or calls of the provider, for each node and tick. */
  readonly work: number
  /** CPU time of a node for each tick, in ms. */
  readonly cpu: number
}

/** Ticks before those that count: one makes the records. */
const WARM_UP = 1
const TICKS = 3

/** Measures every size of a place, the smaller ones first, in the same processes: they are warm as in a company that runs. */
export async function growthOn(
  place: Place,
  server: TestServer | undefined,
  tell: (cost: Cost) => void,
): Promise<void> {
  if (server && place === 'postgres') await countStatements(server)
  const url = server?.url ?? ''
  for (const nodes of new Set(cells[place].map((size) => size.nodes))) {
    const processes = place === 'memory' ? 1 : nodes
    const children = Array.from({ length: processes }, () =>
      forkProgram(import.meta.url, './node.js', [place, url, nodes / processes], {}),
    )
    try {
      await within(60_000, `the start of ${nodes} nodes`, answers(children))
      for (const size of cells[place]) if (size.nodes === nodes) tell(await measure(place, url, size, children))
    } finally {
      for (const child of children) child.kill('SIGKILL')
    }
  }
}

const answers = <Answer>(children: readonly ChildProcess[]): Promise<Answer[]> =>
  Promise.all(children.map(async (child) => (await once(child, 'message'))[0] as Answer))

async function measure(place: Place, url: string, size: Size, children: readonly ChildProcess[]): Promise<Cost> {
  const period = periodOf(size)
  // Half a second to set the jobs up, or what a hundred thousand of them take.
  const setUp = 500 + (size.jobs * size.nodes) / 50
  const from = (Math.ceil((Date.now() + setUp) / period) + WARM_UP) * period
  const to = from + TICKS * period
  const order: Order = { cell: `${size.nodes}-${size.jobs}`, jobs: size.jobs, period, from, to }
  const told = answers<Told>(children)
  told.catch(() => {})
  for (const child of children) child.send(order)
  await sleep(from - period / 2 - Date.now())
  const before = place === 'memory' ? undefined : await storeWork(place, url)
  await sleep(to - period / 2 - Date.now())
  const after = place === 'memory' ? undefined : await storeWork(place, url)
  const all = await within(60_000, `the end of ${size.nodes} nodes`, told)
  const sum = (of: (own: Told) => number): number => all.reduce((total, own) => total + of(own), 0)
  const work = place === 'memory' ? sum(({ calls }) => calls) : workBetween(before, after)
  const ticks = Array.from({ length: TICKS }, (_, tick) => all.map((own) => own.ticks[tick] ?? -1))
  const each = ticks.map((nodes) => (nodes.includes(-1) ? Number.NaN : Math.max(...nodes)))
  return {
    size,
    decided: each.some(Number.isNaN) ? Number.NaN : median(each),
    work: work / size.nodes / TICKS,
    cpu: sum(({ cpu }) => cpu) / size.nodes / TICKS,
  }
}
