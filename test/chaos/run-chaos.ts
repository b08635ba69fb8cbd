import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../simulation/random.ts'
import { ChaosCluster } from './chaos-cluster.ts'
import { drawClock, drawFaults, drawRecordFaults, type Weather } from './faults/draw.ts'
import { RECORD_FAULTS } from './faults/fault.ts'
import { Injector } from './faults/inject.ts'
import type { StoreUnderChaos } from './faults/store.ts'
import { chaosJobs } from './jobs.ts'
import { type JudgedJob, judge, type Verdict } from './judge/judge.ts'
import { openLedger } from './ledger.ts'
import type { BreakName } from './node/breaks.ts'
import { watchStalls } from './node/stalls.ts'
import { watchStore } from './slow-store.ts'
import { machineTime } from './witness-file.ts'

export interface ChaosOptions {
  readonly store: StoreUnderChaos
  readonly seed: number
  /** At least 5. */
  readonly nodes: number
  readonly weather: Weather
  readonly faketime: string | undefined
  readonly broken?: BreakName
  /** Keep the witness of a run that broke a rule. */
  readonly keep?: boolean
}

export interface ChaosReport {
  readonly provider: string
  readonly version: string
  readonly seed: number
  readonly verdict: Verdict
  /** How many entries the ledger has, where the store has one. */
  readonly effects: number | undefined
  /** How many faults there were, by kind. */
  readonly faults: Readonly<Record<string, number>>
  /** By how many s the wall clocks of the nodes were wrong at most, behind and ahead. */
  /** The folder of the witness, if it was kept. */
  readonly witness: string | undefined
  readonly clocks: { readonly behind: number; readonly ahead: number }
}

/** How long after a fault a node and its driver may take to be well again, in ms: a call that is under way has its 5 s, then it connects anew. */
const RECOVERY = 6_000
/** How much longer than its weather a cluster runs in which nothing has run yet, at most, in ms. */
const LONGEST_WAIT = 60_000
/** Ticks so close to the end need not have run yet, in ms. */
const TAIL = 2_000

/** Runs a cluster under the faults of a seed, and judges what was witnessed. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { store, seed, nodes, weather } = options
  const random = new Random(seed)
  const clocks = { behind: 0, ahead: 0 }
  const nextClock = () => {
    const clock = drawClock(random)
    clocks.behind = Math.max(clocks.behind, -clock.ahead)
    clocks.ahead = Math.max(clocks.ahead, clock.ahead)
    return clock
  }
  await using cluster = await ChaosCluster.start({ ...options, nextClock })
  const { control, epoch } = cluster
  const stopWatching = watchStalls(control)
  const stopWatchingStore = watchStore(control, store.kind, store.url, epoch)
  const injector = new Injector({ ...cluster, store, control, nextClock })
  const from = machineTime()
  const recordKinds = RECORD_FAULTS.filter((kind) => store.faults[kind] !== undefined)
  const names = chaosJobs.map((job) => job.options.name)
  const faults = [
    ...drawFaults(random, nodes, weather, store.port === undefined),
    ...drawRecordFaults(new Random(seed * 7919), names, weather, recordKinds),
  ]
  await Promise.all(
    faults.map(async (fault) => {
      await sleep(fault.at)
      await injector.inject(fault)
    }),
  )
  await sleep(Math.max(0, from + weather.length - machineTime()))
  // A machine that is much too busy may not have got to run anything yet.
  const hasRun = (): boolean =>
    cluster.witnessed().some((line) => {
      if (line.what !== 'end') return false
      const due = line.tick - epoch
      return due >= from && due <= machineTime() - TAIL
    })
  while (!hasRun() && machineTime() < from + weather.length + LONGEST_WAIT) await sleep(500)
  const to = machineTime() - TAIL
  await cluster.stop()
  stopWatching()
  await stopWatchingStore()
  const jobs = chaosJobs.map(judged)
  const ledger = await ticksIn(store)
  const verdict = judge({ lines: cluster.witnessed(), jobs, epoch, from, to, recovery: RECOVERY, ledger })
  if (options.keep) control.write({ what: 'judged', epoch, from, to })
  cluster.keepsWitness = (options.keep ?? false) && verdict.violations.length > 0
  const { kind: provider, version } = store
  const witness = cluster.keepsWitness ? cluster.folder : undefined
  const effects = ledger?.length
  return { provider, version, seed, verdict, effects, faults: Object.fromEntries(injector.injected), clocks, witness }
}

async function ticksIn({ kind, url }: StoreUnderChaos): Promise<number[] | undefined> {
  const ledger = await openLedger(kind, url)
  try {
    return await ledger?.ticks()
  } finally {
    await ledger?.close()
  }
}

export function judged({ interval, options }: (typeof chaosJobs)[number]): JudgedJob {
  const { name, lockAtMostFor, lockAtLeastFor = 0, onCrash = 'skip' } = options
  const lengths = { lockAtMostFor: Number(lockAtMostFor), lockAtLeastFor: Number(lockAtLeastFor), graceFor: 30_000 }
  return { name, interval, ...lengths, onCrash, catchesUp: options.catchUp !== undefined }
}
