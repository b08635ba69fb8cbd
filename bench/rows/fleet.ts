import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { postgres } from '../../providers/postgres/index.ts'
import { storeWork } from '../coordinators/store-work.ts'
import { forkProgram } from '../harness/fork-program.ts'
import { atMost, exactly, figure, type Result } from '../harness/result.ts'
import type { Row } from '../harness/row.ts'
import { percentile } from '../harness/statistics.ts'

const NODES = 20
const JOBS = 10_000
/** Between two ticks, in ms: what a tick brings has ended by then, also on two cores. */
const EVERY = 10_000
const TICKS = 3

type Run = readonly [tick: number, job: number, late: number]

/** A company's fleet: every node has every job, and all of them are due in the same second. */
export const fleet: Row = {
  name: 'fleet',
  what: '20 nodes × 10,000 jobs due in the same second, on postgres: runs of each tick, statements, time from tick to start',
  async run({ server: serverOf }) {
    const server = await serverOf('postgres')
    if (!server) return []
    const provider = postgres(server.url)
    await provider.setup()
    await provider.close()
    const nodes = Array.from({ length: NODES }, () =>
      forkProgram(import.meta.url, '../fleet/node.js', [server.url, JOBS, EVERY], {}),
    )
    await Promise.all(nodes.map((node) => once(node, 'message')))
    // The first tick makes the records and compiles the code; from the middle after it, whole ticks are counted.
    await sleep(2.5 * EVERY - (Date.now() % EVERY))
    const from = Date.now()
    const before = (await storeWork('postgres', server.url)) ?? Number.NaN
    await sleep(TICKS * EVERY)
    const after = (await storeWork('postgres', server.url)) ?? Number.NaN
    const told = nodes.map((node) => once(node, 'message').then(([runs]) => runs as Run[]))
    for (const node of nodes) node.send('stop')
    const runs = (await Promise.all(told)).flat().filter(([tick]) => tick >= from && tick < from + TICKS * EVERY)
    return figures(runs, (after - before) / (NODES * TICKS))
  },
}

function figures(runs: readonly Run[], statements: number): Result[] {
  const distinct = new Set(runs.map(([tick, job]) => `${tick} ${job}`)).size
  const late = runs.map(([, , ms]) => ms)
  const on = 'postgres'
  return [
    figure('fleet: ticks run twice', on, runs.length - distinct, `of ${TICKS * JOBS}`, exactly(0)),
    figure('fleet: ticks missed', on, TICKS * JOBS - distinct, `of ${TICKS * JOBS}`, exactly(0)),
    figure('fleet: statements for a node and tick', on, statements, '', atMost(3)),
    figure('fleet: p50 from tick to start', on, percentile(late, 0.5), 'ms'),
    figure('fleet: p99 from tick to start', on, percentile(late, 0.99), 'ms', atMost(500)),
  ]
}
