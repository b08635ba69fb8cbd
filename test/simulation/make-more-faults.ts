import type { FaultMaker } from './make-fault.ts'
import { Random } from './random.ts'
import type { Fault } from './scenario.ts'
import type { StoreKind } from './stores/index.ts'

/** The shortest sleep of a machine, in ms: it is noticed by a jump of the wall clock of more than half a second. */
const SHORTEST_SLEEP = 1_000

/**
 * Faults that half of the seeds have besides the others. They come from random numbers of their own, so that everything else of a seed
 * is what it was before there were any.
 */
export function makeMoreFaults(seed: number, maker: FaultMaker, others: readonly Fault[]): Fault[] {
  const random = new Random(seed * 7919)
  if (others.length === 0 || random.chance(0.5)) return []
  return Array.from({ length: random.int(1, 8) }, () => makeFault({ ...maker, random }, others)).flat()
}

/** The stores in which a transaction may lock one record, and those in which somebody may write any value into one. */
const LOCKABLE: readonly StoreKind[] = ['postgres', 'mysql', 'mongodb']
const POISONABLE: readonly StoreKind[] = ['postgres', 'mysql', 'mongodb', 'sqlite']

function makeFault({ random, until, nodes, jobs, store }: FaultMaker, others: readonly Fault[]): Fault[] {
  // Also while requests for a tick are on their way.
  const at = random.chance(0.5) ? random.int(0, until) : 1_000 * random.int(0, until / 1_000) + random.int(0, 8)
  const node = random.pick(nodes).id
  const length = random.chance(0.5) ? random.int(SHORTEST_SLEEP, 5_000) : random.int(5_000, 40_000)
  const job = random.pick(jobs).options.name
  const kind = random.pick(['suspend', 'record-locked', 'record-poisoned'] as const)
  const value = random.pick(['lockUntil', 'lastTick', 'lockedBy'] as const)
  if (kind === 'record-locked' && LOCKABLE.includes(store)) return [{ at, kind, job, for: Math.ceil(length / 4) }]
  if (kind === 'record-poisoned' && POISONABLE.includes(store)) return [{ at, kind, job, for: length, value }]
  // Set back, the wall clock would hide a sleep.
  const hidden = others.some((fault) => fault.kind === 'jump' && fault.node === node && fault.by < 0)
  return hidden ? [] : [{ at, kind: 'suspend', node, for: length }]
}
