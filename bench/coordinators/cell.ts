import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestServer } from '../../test/servers/index.ts'
import type { Condition } from './conditions.ts'
import { judge, type Verdict } from './judge.ts'
import { NodeProcess, readBegun } from './node-process.ts'
import type { Rival } from './rival.ts'
import { storeWork } from './store-work.ts'

export interface CellOptions {
  readonly rival: Rival
  readonly condition: Condition
  readonly processes: number
  readonly jobs: number
  /** How long a run takes, in ms. */
  readonly takes: number
  readonly seconds: number
}

/** One cell of the table. */
export interface Cell extends Verdict {
  /** Commands or transactions of the store for each tick; NaN where it can't be told. */
  readonly storeWork: number
  /** CPU time of all processes together for each tick, in ms. */
  readonly cpu: number
}

/** The last tick that is judged lies so far before the end, in ms: each has its time to be run. */
const TAIL = 2_000
/** From when all processes are ready until the first tick that is judged, in ms. */
const SETTLING = 2_000

/** Runs one cluster of real processes under one condition, and judges it by a witness outside of its store. */
export async function runCell(options: CellOptions, server: TestServer): Promise<Cell> {
  const { rival, condition, processes, jobs, takes } = options
  const folder = mkdtempSync(join(tmpdir(), 'ticklock-bench-'))
  const witness = join(folder, 'witness.jsonl')
  writeFileSync(witness, '')
  const nodes: NodeProcess[] = []
  try {
    await rival.prepare?.(server.url)
    const common = { rival: rival.name, url: server.url, witness, jobs, takes }
    await Promise.all(
      Array.from({ length: processes }, async (_, index) => {
        const clock = index === 0 ? (condition.clock ?? 0) : 0
        nodes.push(await NodeProcess.start({ ...common, label: `node-${index}`, clock }))
      }),
    )
    nodes.sort((a, b) => a.label.localeCompare(b.label))
    await sleep(SETTLING)
    return await watch(options, server, nodes, witness)
  } finally {
    await Promise.all(nodes.map((node) => node.stop()))
    rmSync(folder, { recursive: true, force: true })
  }
}

async function watch(
  { rival, condition, jobs, seconds }: CellOptions,
  server: TestServer,
  nodes: readonly NodeProcess[],
  witness: string,
): Promise<Cell> {
  const work = () => storeWork(rival.store, server.url)
  const workBefore = await work()
  for (const node of nodes) node.measure()
  const from = Date.now()
  // A schedule in minutes needs minutes to be judged.
  const duration = Math.max(seconds, rival.every > 1 ? 2.5 * rival.every : 0) * 1_000
  await sleep(duration / 3)
  await condition.disturb?.(nodes, server)
  await sleep(Math.max(0, from + duration - Date.now()))
  const cpu = (await Promise.all(nodes.map((node) => node.cpu()))).reduce((sum, own) => sum + own, 0)
  // PostgreSQL's sessions tell what they did a second later.
  const workAfter = await work()
  const over = Date.now()
  const names = Array.from({ length: jobs }, (_, index) => `job-${index}`)
  await sleep(TAIL / 2)
  const span = { jobs: names, from: from + 1_000, to: over - TAIL, every: rival.every * 1_000 }
  const verdict = judge(readBegun(witness), span)
  const ticks = ((over - from) / (rival.every * 1_000)) * jobs
  const done = workBefore !== undefined && workAfter !== undefined ? workAfter - workBefore : Number.NaN
  // A store that was restarted began to count anew.
  return { ...verdict, storeWork: done >= 0 ? done / ticks : Number.NaN, cpu: cpu / ticks }
}
