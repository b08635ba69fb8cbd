import { makeFault } from './make-fault.ts'
import { makeJobs } from './make-job.ts'
import { makeMoreFaults } from './make-more-faults.ts'
import { Random } from './random.ts'
import { MAX_DRIFT, type Scenario, type SimulatedNode, type Weather } from './scenario.ts'
import type { StoreKind } from './stores/index.ts'

/** Moments at which something is special about time: daylight saving begins and ends in Berlin, New York and on Lord Howe, a leap day, an ordinary day. */
const STARTS = [
  '2024-03-31T00:58:00Z',
  '2024-10-27T00:58:00Z',
  '2024-10-26T23:58:00Z',
  '2024-03-10T06:58:00Z',
  '2024-11-03T05:58:00Z',
  '2024-04-06T14:58:00Z',
  '2024-02-28T23:58:00Z',
  '2024-06-15T12:00:00Z',
  '2024-06-15T12:00:00Z',
].map((text) => Date.parse(text))

const STORES: readonly StoreKind[] = ['postgres', 'mysql', 'mongodb', 'redis', 'sqlite']

/** So long before the end all faults are over, in ms. */
const CALM = 50_000

/** Makes the scenario of a seed: about a thousand ticks of some jobs, most of which share their schedules, on 2 to 20 nodes. */
export function makeScenario(seed: number): Scenario {
  const random = new Random(seed)
  const start = random.pick(STARTS)
  const length = random.int(150, 330) * 1_000
  const calmAfter = length - CALM
  const count = random.chance(0.85) ? random.int(2, 5) : random.int(6, 20)
  const nodes = Array.from({ length: count }, (_, index) => makeNode(random, index))
  const jobs = makeJobs(random)
  const store = random.pick(STORES)
  const calm = random.chance(0.15)
  const maker = { random, until: calmAfter - 30_000, nodes, jobs, store }
  const faults = Array.from({ length: calm ? 0 : random.int(1, 25) }, () => makeFault(maker))
  faults.push(...makeMoreFaults(seed, maker, faults))
  faults.sort((a, b) => a.at - b.at)
  const weather = makeWeather(random, calm)
  return { seed, store, start, length, nodes, jobs, faults, weather, tellsEarly: seed % 3 === 0, calmAfter }
}

function makeNode(random: Random, index: number): SimulatedNode {
  const off = random.chance(0.5) ? 0 : random.chance(0.5) ? random.int(-3_000, 3_000) : random.int(-300_000, 300_000)
  const speed = 1 + (random.float() * 2 - 1) * MAX_DRIFT
  return { id: `node-${index}`, wallAhead: off, speed, throws: random.chance(0.05) }
}

function makeWeather(random: Random, calm: boolean): Weather {
  const bad = calm || random.chance(0.5) ? 0 : random.float() * 0.05
  return { lostRequest: bad * random.float(), lostReply: bad * random.float(), slow: bad * random.float() }
}
