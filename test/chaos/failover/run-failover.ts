import { setTimeout as sleep } from 'node:timers/promises'
import type { LockRecord } from 'ticklock'
import { judgeFencing } from '../judge/fencing.ts'
import type { History } from '../judge/history.ts'
import { judgeHolders } from '../judge/holders.ts'
import type { Rule } from '../judge/judge.ts'
import { judgeOnce } from '../judge/once.ts'
import { readHistory } from '../judge/read-history.ts'
import { machineTime } from '../witness-file.ts'
import { briefJobs, LoadWitness, loadJobs, startNode } from './load.ts'
import type { Scenario, Topology } from './topology.ts'

/** What one failure cost. */
export interface FailoverReport {
  readonly version: string
  /** Ticks that ran in all, and those of them that came after the failure. */
  readonly runs: number
  readonly runsAfter: number
  /** Grants that were acknowledged before the failure, and that the survivor did not know; unknown where it can't be asked. */
  readonly forgotten: number | undefined
  /** Runs of a tick that had run. */
  readonly twice: number
  /** Leases that began while another's could still be relied on. */
  readonly overlaps: number
  /** Tokens that repeated or went back. */
  readonly fencing: number
  /** Ticks of brief jobs that nobody ran. */
  readonly missed: number
  /** From the failure until each brief job had run again, in ms; undefined when one did not. */
  readonly recovery: number | undefined
  /** What was broken, in words. */
  readonly broken: readonly string[]
}

export interface Timing {
  /** How long the load runs before the failure, until what was hit comes back, and after that, in ms. */
  readonly before: number
  readonly until: number
  readonly after: number
}

export const USUAL: Timing = { before: 2_000, until: 5_000, after: 4_000 }

const NODES = 3

/** One failure under load, and what was witnessed of it. */
export async function runFailover(scenario: Scenario, timing: Timing = USUAL): Promise<FailoverReport> {
  const topology = await scenario.start()
  try {
    return await underLoad(topology, { ...timing, after: scenario.after ?? timing.after })
  } finally {
    await topology.stop()
  }
}

async function underLoad(topology: Topology, timing: Timing): Promise<FailoverReport> {
  const witness = new LoadWitness()
  const first = topology.connect()
  await first.setup?.()
  await first.close()
  const stops = await Promise.all(
    Array.from({ length: NODES }, (_, node) =>
      startNode(topology.connect(), witness.of(`node-${node}.0`), `node-${node}`),
    ),
  )
  try {
    // Not always at the same place between two ticks.
    await sleep(timing.before + Math.random() * 500)
    const from = machineTime() - 1_000
    const failedAt = machineTime()
    const survived = await topology.fail()
    await sleep(Math.max(0, failedAt + timing.until - machineTime()))
    await topology.restore?.()
    await untilTicksRun(witness, failedAt)
    await sleep(timing.after)
    const to = machineTime() - 1_000
    const lines = [...witness.lines].sort((a, b) => a.at - b.at)
    return { version: topology.version, ...assess(readHistory(lines), { from, failedAt, to, survived }) }
  } finally {
    await Promise.all(stops.map((stop) => stop()))
  }
}

/** A busy machine may take its time; that ticks run again at all is what `runsAfter` tells. */
const TIMEOUT = 60_000

async function untilTicksRun({ lines }: LoadWitness, failedAt: number): Promise<void> {
  const due = failedAt + Date.now() - machineTime()
  const ran = (): boolean => lines.some((line) => line.what === 'begin' && line.at > failedAt && line.tick > due)
  while (!ran() && machineTime() < failedAt + TIMEOUT) await sleep(100)
}

interface Times {
  readonly from: number
  readonly failedAt: number
  readonly to: number
  readonly survived: readonly LockRecord[] | undefined
}

function assess(history: History, times: Times): Omit<FailoverReport, 'version'> {
  const broken: { readonly rule: Rule; readonly what: string }[] = []
  const violate = (rule: Rule, what: string): void => void broken.push({ rule, what })
  const count = (of: Rule): number => broken.filter(({ rule }) => rule === of).length
  judgeOnce(history, loadJobs, violate)
  judgeHolders(history, violate)
  judgeFencing(history, violate)
  return {
    runs: history.runs.length,
    runsAfter: history.runs.filter(({ tick }) => tick > times.failedAt + Date.now() - machineTime()).length,
    forgotten: forgottenBy(history, times),
    twice: count('once per tick'),
    overlaps: count('one holder'),
    fencing: count('fencing'),
    missed: missedTicks(history, times),
    recovery: recoveryTime(history, times),
    broken: broken
      .map(({ rule, what }) => `${rule}: ${what}`)
      .sort((a, b) => Number(b.startsWith('fencing')) - Number(a.startsWith('fencing'))),
  }
}

/** A record that knows of a grant has its token, or a later one. */
function forgottenBy(history: History, { failedAt, survived }: Times): number | undefined {
  if (!survived) return undefined
  const known = new Map(survived.map(({ name, fencingToken }) => [name, fencingToken]))
  return history.grants.filter(({ job, knownAt, token }) => knownAt < failedAt && token > (known.get(job) ?? 0)).length
}

function missedTicks({ runs }: History, { from, to }: Times): number {
  const epoch = Date.now() - machineTime()
  let missed = 0
  for (const { name, interval } of briefJobs) {
    const ran = new Set(runs.filter(({ job }) => job === name).map(({ tick }) => tick))
    const first = Math.ceil((from + epoch) / interval) * interval
    for (let tick = first; tick < to + epoch; tick += interval) if (!ran.has(tick)) missed++
  }
  return missed
}

function recoveryTime({ runs }: History, { failedAt }: Times): number | undefined {
  const epoch = Date.now() - machineTime()
  const times = briefJobs.map(({ name }) => {
    // One that was granted before may begin after.
    const again = runs.find(({ job, tick, begunAt }) => job === name && tick > failedAt + epoch && begunAt > failedAt)
    return again ? again.begunAt - failedAt : undefined
  })
  return times.reduce((longest, time) =>
    longest === undefined || time === undefined ? undefined : Math.max(longest, time),
  )
}
