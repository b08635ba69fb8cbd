import { makeOptions, makeSchedule } from './make-job.ts'
import type { Random } from './random.ts'
import type { Fault, SimulatedJob, SimulatedNode } from './scenario.ts'
import type { StoreKind } from './stores/index.ts'

export interface FaultMaker {
  readonly random: Random
  /** No fault begins later, in ms from the start. */
  readonly until: number
  readonly nodes: readonly SimulatedNode[]
  readonly jobs: readonly SimulatedJob[]
  readonly store: StoreKind
}

const KINDS = [
  'pause',
  'pause',
  'pause',
  'crash',
  'crash',
  'crash',
  'stop',
  'cut',
  'cut',
  'jump',
  'jump',
  'trigger',
  'store-down',
  'store-down',
  'store-slow',
  'store-restart',
  'store-failover',
  'force-release',
  'reload',
  'reload',
] as const

export function makeFault(maker: FaultMaker): Fault {
  const { random, until, nodes, jobs, store } = maker
  const at = random.int(0, until)
  const node = random.pick(nodes).id
  const { options, takes } = random.pick(jobs)
  const kind = random.pick(KINDS)
  switch (kind) {
    case 'jump':
      return { at, kind, node, by: random.chance(0.5) ? random.int(-3_000, 3_000) : random.int(-300_000, 300_000) }
    case 'trigger':
      return { at, kind, node, job: options.name }
    case 'force-release':
      return { at, kind, job: options.name }
    case 'store-down':
      return { at, kind, for: random.int(100, 20_000) }
    case 'store-slow':
      return { at, kind, for: random.int(1_000, 20_000), by: random.int(50, 8_000) }
    case 'store-restart':
      return { at, kind }
    case 'store-failover':
      return makeFailover(random, at, store)
    case 'reload': {
      const schedule = random.chance(0.5)
        ? makeSchedule(random)
        : { every: options.every, cron: options.cron, timezone: options.timezone }
      return {
        at,
        kind,
        job: options.name,
        options: { name: options.name, ...schedule, ...makeOptions(random, takes) },
      }
    }
    default:
      return { at, kind, node, for: random.chance(0.5) ? random.int(50, 3_000) : random.int(3_000, 30_000) }
  }
}

/** The stores whose replication may be asynchronous: a failover loses what the replica had not got. */
const FORGETFUL: readonly StoreKind[] = ['postgres', 'mysql', 'redis']

function makeFailover(random: Random, at: number, store: StoreKind): Fault {
  if (store === 'sqlite' || store === 'memory') return { at, kind: 'store-restart' }
  const lost = FORGETFUL.includes(store) && random.chance(0.8) ? random.int(1, 5_000) : 0
  return { at, kind: 'store-failover', lost }
}
