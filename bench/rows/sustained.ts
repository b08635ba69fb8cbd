import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { forkProgram } from '../harness/fork-program.ts'
import { atLeast, atMost, exactly, figure, type Result } from '../harness/result.ts'
import type { BenchContext, Row } from '../harness/row.ts'
import { within } from '../harness/within.ts'
import { wantedStores } from '../stores/index.ts'
import { judge, lateness } from '../sustained/judge.ts'
import type { NodeReport, Span } from '../sustained/protocol.ts'
import { STORES, type StoreName, type StoreState, setUp, stateOf } from '../sustained/stores.ts'

/** Ticks in which the nodes make the records and meet, in ms. */
const WARM_UP = 10_000
const MINUTE = 60_000
/** How long the last tick has to end, in ms. */
const DRAIN = 2_000

interface Cell {
  readonly store: StoreName
  readonly history: boolean
  readonly nodes: number
  readonly jobs: number
  readonly seconds: number
}

/** A rate that lasts: what a tick costs when the one before has hardly ended. */
export const sustained: Row = {
  name: 'sustained',
  what: 'jobs due each second on some nodes, for --seconds, with and without history: runs, lateness, CPU and memory by minute',
  async run(context) {
    const { seconds, processes, rate, quick } = context.options
    const results: Result[] = []
    for (const store of wantedStores(context, STORES))
      for (const nodes of processes)
        for (const history of [false, true])
          results.push(...(await measure(context, { store, history, nodes, jobs: quick ? 100 : rate, seconds })))
    return results
  },
}

async function measure({ fresh, say, options }: BenchContext, cell: Cell): Promise<Result[]> {
  const { store, history, nodes, jobs, seconds } = cell
  const server = await fresh(store)
  if (!server) return []
  const on = `${store}, ${nodes} nodes${history ? ', history' : ''}`
  say(`  ${on}: ${jobs} jobs each second for ${seconds} s`)
  const processes: ChildProcess[] = []
  try {
    await setUp(store, server.url)
    const args = [store, server.url, jobs, history ? 'history' : '']
    for (let node = 0; node < nodes; node++)
      processes.push(forkProgram(import.meta.url, '../sustained/node.js', args, {}))
    await within(MINUTE, `the start of ${nodes} nodes`, Promise.all(processes.map((node) => once(node, 'message'))))
    // In the middle between two ticks.
    const from = Math.ceil((Date.now() + (options.quick ? 1_000 : WARM_UP)) / 1_000) * 1_000 - 500
    const to = from + seconds * 1_000
    for (const node of processes) node.send({ from, to, minute: MINUTE } satisfies Span)
    await sleep(from - Date.now())
    const before = await stateOf(store, server.url)
    await sleep(to - Date.now())
    const after = await stateOf(store, server.url)
    await sleep(DRAIN)
    const reports = processes.map((node) => once(node, 'message').then(([report]) => report as NodeReport))
    for (const node of processes) node.send('stop')
    const told = await within(MINUTE, `the end of ${nodes} nodes`, Promise.all(reports))
    return [...ofRuns(on, cell, told, from + 500), ...ofMinutes(on, told), ...ofStore(on, before, after)]
  } finally {
    for (const node of processes) node.kill('SIGKILL')
    await server.stop()
  }
}

function ofRuns(on: string, { jobs, seconds }: Cell, reports: readonly NodeReport[], from: number): Result[] {
  const { due, ran, twice, missed } = judge(reports, jobs, from, from + seconds * 1_000)
  const all = reports.flatMap(({ minutes }) => minutes)
  return [
    figure('sustained: ticks a second', on, ran / seconds, '', atLeast(0.999 * jobs)),
    figure('sustained: ticks run twice', on, twice, `of ${due}`, exactly(0)),
    figure('sustained: ticks missed', on, missed, `of ${due}`, exactly(0)),
    figure('sustained: p50 from tick to start', on, lateness(all, 0.5), 'ms'),
    figure('sustained: p99 from tick to start', on, lateness(all, 0.99), 'ms', atMost(500)),
  ]
}

/** The last minute beside the first shows what grows. */
function ofMinutes(on: string, reports: readonly NodeReport[]): Result[] {
  const count = Math.min(...reports.map(({ minutes }) => minutes.length))
  return Array.from({ length: count }, (_, index) => {
    const minutes = reports.flatMap((report) => report.minutes[index] ?? [])
    const mean = (of: 'cpu' | 'memory'): number => minutes.reduce((sum, minute) => sum + minute[of], 0) / reports.length
    const name = `sustained: minute ${index + 1}`
    return [
      figure(`${name}: p50`, on, lateness(minutes, 0.5), 'ms'),
      figure(`${name}: p99`, on, lateness(minutes, 0.99), 'ms'),
      figure(`${name}: CPU of a node`, on, mean('cpu'), 'ms'),
      figure(`${name}: memory of a node`, on, mean('memory') / 1e6, 'MB'),
    ]
  }).flat()
}

function ofStore(on: string, before: StoreState, after: StoreState): Result[] {
  const results = [figure('sustained: size of the store', on, after.size, 'MB')]
  if (after.updates === undefined || after.hot === undefined || after.log === undefined) return results
  const updates = after.updates - (before.updates ?? 0)
  return [
    ...results,
    figure('sustained: HOT updates', on, (100 * (after.hot - (before.hot ?? 0))) / updates, '%', atLeast(90)),
    figure('sustained: log written', on, (after.log - (before.log ?? 0)) / 1e6, 'MB'),
  ]
}
