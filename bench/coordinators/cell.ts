import { setTimeout as sleep } from 'node:timers/promises'
import type { TestServer } from '../../test/servers/index.ts'
import { storeWork, workBetween } from '../harness/store-work.ts'
import { within } from '../harness/within.ts'
import { type Cluster, withCluster } from './cluster.ts'
import type { Condition } from './conditions.ts'
import { judge, type Verdict } from './judge.ts'
import { readBegun } from './node-process.ts'
import type { Rival } from './rival.ts'

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
  /** Commands or statements of the store for each tick; NaN where it can't be told. */
  readonly storeWork: number
  /** CPU time of all processes together for each tick, in ms. */
  readonly cpu: number
}

/** The last tick that is judged lies so far before the end, in ms: each has its time to be run. */
const TAIL = 2_000
/** From when all processes are ready until the first tick that is judged, in ms. */
const SETTLING = 2_000
/** What a cell may take on top of what it is meant to, in ms. */
const EXTRA_TIMEOUT = 60_000

/** Runs one cluster of real processes under one condition, and judges it by a witness outside of its store. */
export function runCell(options: CellOptions, server: TestServer): Promise<Cell> {
  const { rival, condition, seconds } = options
  return withCluster({ ...options, clock: condition.clock ?? 0, idle: false }, server, (cluster) => {
    // Made when the processes have started: it depends on the moment.
    const plan = planOf(rival, seconds)
    const bound = plan.wait + plan.calm + plan.rest + EXTRA_TIMEOUT
    return within(bound, `the cell of ${rival.name}`, watch(options, plan, server, cluster))
  })
}

/** All in ms. */
interface Plan {
  /** Before anything counts. */
  readonly wait: number
  /** From then until the disturbance. */
  readonly calm: number
  /** From its end until the end. */
  readonly rest: number
}

/**
 * A third of the time passes before the disturbance. A schedule in minutes is watched for two ticks: the first is undisturbed, and the disturbance begins a second
 * before the other.
 */
function planOf({ every }: Rival, seconds: number): Plan {
  if (every === 1) return { wait: SETTLING, calm: (seconds / 3) * 1_000, rest: (seconds / 3) * 2_000 }
  const period = every * 1_000
  return {
    wait: (2 * period - SETTLING - (Date.now() % period)) % period,
    calm: period + SETTLING - 1_000,
    rest: 20_000,
  }
}

async function watch(
  { rival, condition, jobs }: CellOptions,
  { wait, calm, rest }: Plan,
  server: TestServer,
  { nodes, witness }: Cluster,
): Promise<Cell> {
  await sleep(wait)
  const work = () => storeWork(rival.store, server.url)
  const workBefore = await work()
  for (const node of nodes) node.measure()
  const from = Date.now()
  await sleep(calm)
  const disturbed = Date.now()
  await condition.disturb?.(nodes, server)
  // A disturbance takes its own part of the time, but what follows it is seen as well.
  await sleep(Math.max(TAIL + 2_000, disturbed + rest - Date.now()))
  const cpu = await cpuOf(nodes)
  const done = workBetween(workBefore, await work())
  const over = Date.now()
  const names = Array.from({ length: jobs }, (_, index) => `job-${index}`)
  await sleep(TAIL / 2)
  const period = rival.every * 1_000
  const span = { jobs: names, from: from + 1_000, to: over - TAIL, every: period }
  const verdict = judge(readBegun(witness), span)
  // A schedule in minutes has more ticks in the span than its length has minutes.
  const ticks = (Math.floor(over / period) - Math.floor(from / period)) * jobs
  return { ...verdict, storeWork: condition.restarts ? Number.NaN : done / ticks, cpu: cpu / ticks }
}

/** The CPU time of all processes since they were told to measure it, in ms. */
async function cpuOf(nodes: Cluster['nodes']): Promise<number> {
  return (await Promise.all(nodes.map((node) => node.cpu()))).reduce((sum, own) => sum + own, 0)
}

/** What a process costs for each second in which no job is due. */
export interface IdleLoad {
  /** Commands or statements of the store; NaN where it can't be told. */
  readonly storeWork: number
  /** CPU of the process, in % of a core. */
  readonly cpu: number
}

/** How long is looked at processes that have nothing to do, in ms: several of any rival's own rounds of looking for work. */
const REST = 12_000

export function idleLoad(rival: Rival, processes: number, jobs: number, server: TestServer): Promise<IdleLoad> {
  return withCluster({ rival, processes, jobs, takes: 0, clock: 0, idle: true }, server, async ({ nodes }) => {
    await sleep(2 * SETTLING)
    const workBefore = await storeWork(rival.store, server.url)
    for (const node of nodes) node.measure()
    const from = performance.now()
    await sleep(REST)
    const done = workBetween(workBefore, await storeWork(rival.store, server.url))
    const cpu = await cpuOf(nodes)
    const ms = (performance.now() - from) * processes
    return { storeWork: (done / ms) * 1_000, cpu: (cpu / ms) * 100 }
  })
}
