import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { postgres } from '../../providers/postgres/index.ts'
import { forkProgram } from '../harness/fork-program.ts'
import { atMost, exactly, figure, type Result } from '../harness/result.ts'
import type { Row } from '../harness/row.ts'
import { percentile } from '../harness/statistics.ts'
import { countStatements, storeWork, workBetween } from '../harness/store-work.ts'
import { within } from '../harness/within.ts'

const NODES = 20
const JOBS = 10_000
/** Between two ticks, in ms: what a tick brings has ended by then, also on two cores. */
const EVERY = 10_000
const TICKS = 3
const WARM_UP = 5

type Run = readonly [tick: number, job: number, late: number]

/** A company's fleet: every node has every job, and all of them are due in the same second. */
export const fleet: Row = {
  name: 'fleet',
  what: '20 nodes × 10,000 jobs due in the same second, on postgres: runs of each tick, statements, time from tick to start',
  async run({ fresh }) {
    const server = await fresh('postgres')
    if (!server) return []
    const nodes: ChildProcess[] = []
    try {
      await countStatements(server)
      const provider = postgres(server.url)
      await provider.setup()
      await provider.close()
      for (let node = 0; node < NODES; node++)
        nodes.push(forkProgram(import.meta.url, '../fleet/node.js', [server.url, JOBS, EVERY], {}))
      return await watch(nodes, server.url)
    } finally {
      for (const node of nodes) node.kill('SIGKILL')
      await server.stop()
    }
  },
}

async function watch(nodes: readonly ChildProcess[], url: string): Promise<Result[]> {
  await within(60_000, `the start of ${NODES} nodes`, Promise.all(nodes.map((node) => once(node, 'message'))))
  // The first ticks make the records, compile the code, and the nodes meet. From the middle after them, whole ticks are counted.
  await sleep((WARM_UP + 1.5) * EVERY - (Date.now() % EVERY))
  const from = Date.now()
  const before = await storeWork('postgres', url)
  await sleep(TICKS * EVERY)
  const work = workBetween(before, await storeWork('postgres', url))
  const told = nodes.map((node) => once(node, 'message').then(([runs]) => runs as Run[]))
  for (const node of nodes) node.send('stop')
  const all = await within(60_000, `the end of ${NODES} nodes`, Promise.all(told))
  const ofNodes = all.map((runs) => runs.filter(([tick]) => tick >= from && tick < from + TICKS * EVERY))
  const largest = Math.max(...ofNodes.map(({ length }) => length)) / (TICKS * JOBS)
  return figures(ofNodes.flat(), work / (NODES * TICKS), largest)
}

function figures(runs: readonly Run[], statements: number, largest: number): Result[] {
  const distinct = new Set(runs.map(([tick, job]) => `${tick} ${job}`)).size
  const late = runs.map(([, , ms]) => ms)
  const on = 'postgres'
  return [
    figure('fleet: ticks run twice', on, runs.length - distinct, `of ${TICKS * JOBS}`, exactly(0)),
    figure('fleet: ticks missed', on, TICKS * JOBS - distinct, `of ${TICKS * JOBS}`, exactly(0)),
    figure('fleet: statements for a node and tick', on, statements, '', atMost(3)),
    figure('fleet: largest share of a node', on, 100 * largest, '% of the runs', atMost(10)),
    figure('fleet: p50 from tick to start', on, percentile(late, 0.5), 'ms'),
    figure('fleet: p99 from tick to start', on, percentile(late, 0.99), 'ms', atMost(500)),
  ]
}
