import type { Random } from '../../simulation/random.ts'
import type { WrongClock } from '../faketime.ts'
import { type Fault, FILE_FAULTS, NETWORK_FAULTS, PROCESS_FAULTS, type RECORD_FAULTS, SERVER_FAULTS } from './fault.ts'

/** Faults come in waves, with time between them in which all has to be well again. In ms. */
export interface Weather {
  /** How long the run lasts. */
  readonly length: number
  /** How long a wave lasts, and how long the calm after it. */
  readonly wave: number
  readonly calm: number
  /** The mean time from one fault to the next within a wave. */
  readonly between: number
}

/** When the first wave begins, in ms: a moment later the nodes have learned the store's clock. */
const FIRST = 1_000

/** The faults of a run, in order of time. Each wave has one fault of the store at least. */
export function drawFaults(random: Random, nodes: number, weather: Weather, isFile: boolean): Fault[] {
  const faults: Fault[] = []
  const { length, wave, calm, between } = weather
  for (let from = FIRST; from + wave + calm <= length; from += wave + calm) {
    const storeFault = {
      at: from + random.int(0, Math.floor(wave / 2)),
      kind: random.pick(isFile ? FILE_FAULTS : SERVER_FAULTS),
    }
    faults.push({ ...storeFault, node: 0, for: random.int(500, 6_000) })
    for (let at = from; at < from + wave; at += random.int(Math.floor(between / 2), Math.floor((between * 3) / 2))) {
      const kind = drawKind(random, isFile)
      const node = random.int(0, nodes - 1)
      // Only nodes with a client of their own have a pool to fill, see hasOwnClient.
      faults.push({
        at,
        kind,
        node: kind === 'full-pool' ? Math.max(node - (node % 2), 2) - 1 : node,
        for: random.int(500, 7_000),
      })
    }
  }
  return faults.sort((a, b) => a.at - b.at)
}

/** Faults of single records, for a second random stream: a few in each wave, one of a whole table now and then. */
export function drawRecordFaults(
  random: Random,
  jobs: readonly string[],
  weather: Weather,
  kinds: readonly (typeof RECORD_FAULTS)[number][],
): Fault[] {
  const { length, wave, calm } = weather
  const faults: Fault[] = []
  if (kinds.length === 0) return faults
  for (let from = FIRST; from + wave + calm <= length; from += wave + calm) {
    for (let count = random.int(2, 5); count > 0; count--) {
      const drawn = random.pick(kinds)
      const kind = drawn === 'table-locked' && random.chance(0.7) ? 'row-locked' : drawn
      const at = from + random.int(0, wave)
      faults.push({ at, kind, node: 0, job: random.pick(jobs), for: random.int(500, 7_000) })
    }
  }
  return faults
}

function drawKind(random: Random, isFile: boolean): Fault['kind'] {
  if (random.chance(0.05)) return random.pick(isFile ? FILE_FAULTS : SERVER_FAULTS)
  return isFile || random.chance(0.4) ? random.pick(PROCESS_FAULTS) : random.pick(NETWORK_FAULTS)
}

/** Every other node brings a client of its own, with a small pool, as a user may; the others go by a URL. */
export const hasOwnClient = (node: number): boolean => node % 2 === 1

/** Up to 30 s off, either way; every other one drifts, by up to 1 % of the time. */
export function drawClock(random: Random): WrongClock {
  const drifts = random.chance(0.5)
  return { ahead: random.float() * 60 - 30, speed: drifts ? 0.99 + random.float() * 0.02 : 1 }
}
