import type { FaultMaker } from './make-fault.ts'
import { Random } from './random.ts'
import type { Fault } from './scenario.ts'
import type { StoreKind } from './stores/index.ts'

/** The shortest sleep of a machine, in ms: it is noticed by a jump of the wall clock of more than half a second. */
const SHORTEST_SLEEP = 1_000

/**
 * Faults that many seeds have besides the others: suspended machines, and records that are locked or unreadable. They
 * come from random numbers of their own, so that everything else of a seed is what it was before there were any.
 */
export function makeMoreFaults(seed: number, maker: FaultMaker, others: readonly Fault[]): Fault[] {
  if (others.length === 0) return []
  const inRecords = few(new Random(seed * 7919), (random) => makeRecordFault({ ...maker, random }))
  const suspensions = few(new Random(seed * 104_729), (random) => makeSuspension({ ...maker, random }, others))
  return [...inRecords, ...suspensions]
}

/** One to eight faults for every other seed. */
const few = (random: Random, make: (random: Random) => Fault[]): Fault[] =>
  random.chance(0.5) ? [] : Array.from({ length: random.int(1, 8) }, () => make(random)).flat()

/** Also while requests for a tick are on their way. */
const makeMoment = (random: Random, until: number): number =>
  random.chance(0.5) ? random.int(0, until) : 1_000 * random.int(0, until / 1_000) + random.int(0, 8)

const makeLength = (random: Random): number =>
  random.chance(0.5) ? random.int(SHORTEST_SLEEP, 5_000) : random.int(5_000, 40_000)

/** The stores in which a transaction may lock one record, and those in which somebody may write any value into one. */
const LOCKABLE: readonly StoreKind[] = ['postgres', 'mysql', 'mongodb']
const POISONABLE: readonly StoreKind[] = ['postgres', 'mysql', 'mongodb', 'sqlite']

function makeRecordFault({ random, until, jobs, store }: FaultMaker): Fault[] {
  const at = makeMoment(random, until)
  const length = makeLength(random)
  const job = random.pick(jobs).options.name
  const value = random.pick(['lockUntil', 'lastTick', 'lockedBy'] as const)
  if (random.chance(0.5))
    return LOCKABLE.includes(store) ? [{ at, kind: 'record-locked', job, for: Math.ceil(length / 4) }] : []
  return POISONABLE.includes(store) ? [{ at, kind: 'record-poisoned', job, for: length, value }] : []
}

function makeSuspension({ random, until, nodes }: FaultMaker, others: readonly Fault[]): Fault[] {
  const at = makeMoment(random, until)
  const node = random.pick(nodes).id
  const length = makeLength(random)
  // Set back, the wall clock would hide a sleep.
  const hidden = others.some((fault) => fault.kind === 'jump' && fault.node === node && fault.by < 0)
  return hidden ? [] : [{ at, kind: 'suspend', node, for: length }]
}
