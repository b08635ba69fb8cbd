import type { JobOptions } from '../../src/index.ts'
import type { Weather } from './network.ts'
import { Random } from './random.ts'

/** A fault, as an entry of a schedule that can be shortened. */
export type Fault =
  | { readonly at: number; readonly kind: 'pause' | 'crash' | 'cut'; readonly node: number; readonly for: number }
  | { readonly at: number; readonly kind: 'jump'; readonly node: number; readonly by: number }
  | { readonly at: number; readonly kind: 'store-down'; readonly for: number }
  | { readonly at: number; readonly kind: 'force-release'; readonly job: number }

export interface SimulatedJob {
  readonly options: JobOptions
  /** How long a run takes at most, in ms; 0 for instant jobs. */
  readonly takes: number
}

export interface SimulatedNode {
  /** In ms; what its wall clock is ahead at first. */
  readonly wallAhead: number
  readonly speed: number
}

/** All that a seed determines before the run begins. */
export interface Scenario {
  readonly seed: number
  readonly start: number
  /** In ms of true time. */
  readonly length: number
  readonly nodes: readonly SimulatedNode[]
  readonly jobs: readonly SimulatedJob[]
  readonly faults: readonly Fault[]
  readonly weather: Weather
  /** Ticks until this time may be disturbed; afterwards all is well again. */
  readonly calmFrom: number
}

/** Moments at which something is special about time: daylight saving begins and ends in Berlin, New York and on Lord Howe, a leap day, an ordinary day. */
const STARTS = [
  '2024-03-31T00:58:00Z',
  '2024-10-27T00:58:00Z',
  '2024-03-10T06:58:00Z',
  '2024-11-03T05:58:00Z',
  '2024-04-06T14:58:00Z',
  '2024-02-28T23:58:00Z',
  '2024-06-15T12:00:00Z',
].map((text) => Date.parse(text))
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']
const PATTERNS = ['* * * * * *', '*/2 * * * * *', '*/5 * * * * *', '*/10 * * * * *', '30 * * * * *', '0 */2 * * * *']

/** How far clocks may be off from each other in speed, either way: 100 ppm, as cheap crystals are. */
export const MAX_DRIFT = 0.0001

/** Makes the scenario of a seed: about a thousand ticks of a few jobs on 2 to 20 nodes. */
export function makeScenario(seed: number): Scenario {
  const random = new Random(seed)
  const start = random.pick(STARTS)
  const length = random.int(4, 7) * 60_000
  const nodes = Array.from({ length: random.chance(0.8) ? random.int(2, 5) : random.int(6, 20) }, () =>
    makeNode(random),
  )
  const jobs = Array.from({ length: random.int(2, 6) }, (_, index) => makeJob(random, index))
  const calm = random.chance(0.2)
  const count = calm ? 0 : random.int(1, 25)
  const faults = Array.from({ length: count }, () => makeFault(random, length - 90_000, nodes.length, jobs.length))
  const bad = calm || random.chance(0.4) ? 0 : random.float() * 0.05
  const weather = { lostRequest: bad * random.float(), lostReply: bad * random.float(), slow: bad * random.float() }
  faults.sort((a, b) => a.at - b.at)
  return { seed, start, length, nodes, jobs, faults, weather, calmFrom: start + length - 60_000 }
}

function makeNode(random: Random): SimulatedNode {
  const off = random.chance(0.5) ? 0 : random.chance(0.5) ? random.int(-3_000, 3_000) : random.int(-300_000, 300_000)
  return { wallAhead: off, speed: 1 + (random.float() * 2 - 1) * MAX_DRIFT }
}

function makeJob(random: Random, index: number): SimulatedJob {
  const takes = random.chance(0.4) ? 0 : random.chance(0.7) ? random.int(1, 800) : random.int(1_000, 20_000)
  const lockAtMostFor = random.chance(0.7) ? Math.max(500, takes * 3) : random.int(200, 30_000)
  const schedule = random.chance(0.5)
    ? { every: random.pick([500, 1_000, 1_500, 3_000, 7_000, 10_000]) }
    : { cron: random.pick(PATTERNS), timezone: random.pick(ZONES) }
  return {
    takes,
    options: {
      name: `job-${index}`,
      ...schedule,
      lockAtMostFor,
      lockAtLeastFor: random.chance(0.7) ? 0 : random.int(0, lockAtMostFor),
      keepAlive: random.chance(0.5),
      onCrash: random.pick(['skip', 'rerun']),
      catchUp: random.pick(['none', 'none', 'latest', { window: '1m', max: 5 }]),
      runOnStart: random.chance(0.2),
      jitter: random.chance(0.8) ? 0 : random.int(0, 1_000),
      graceFor: random.pick(['30s', '5s', '1s']),
    },
  }
}

function makeFault(random: Random, length: number, nodes: number, jobs: number): Fault {
  const at = random.int(0, length)
  const node = random.int(0, nodes - 1)
  const kind = random.pick(['pause', 'pause', 'crash', 'crash', 'cut', 'jump', 'store-down', 'force-release'] as const)
  if (kind === 'jump') return { at, kind, node, by: random.int(-300_000, 300_000) }
  if (kind === 'force-release') return { at, kind, job: random.int(0, jobs - 1) }
  if (kind === 'store-down') return { at, kind, for: random.int(100, 20_000) }
  return { at, kind, node, for: random.chance(0.5) ? random.int(50, 3_000) : random.int(3_000, 45_000) }
}
