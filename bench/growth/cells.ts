/** One size of a company. */
export interface Size {
  readonly jobs: number
  readonly nodes: number
}

/** Where the sizes are measured: a store with a process for each node, or the memory provider with all nodes in one process. */
export type Place = 'postgres' | 'redis' | 'memory'

/** What fits two cores with a process for each node. */
const REAL: readonly Size[] = sizes(
  [1, [10, 100, 1_000, 10_000, 100_000]],
  [5, [10, 100, 1_000, 10_000]],
  [20, [10, 100, 1_000]],
)

/** What does not, and some that do, to be compared. */
const PRETENDED: readonly Size[] = sizes(
  [1, [100, 1_000, 10_000]],
  [20, [10, 100, 1_000, 10_000]],
  [100, [10, 100, 1_000]],
)

export const cells: Readonly<Record<Place, readonly Size[]>> = { postgres: REAL, redis: REAL, memory: PRETENDED }

/** Where the figures of a place are from, as the table says it. */
export const placeName = (place: Place): string => (place === 'memory' ? 'memory, all nodes in one process' : place)

/** From one tick to the next, in ms: whole seconds in which all that a tick of this size brings has long ended. */
export function periodOf({ jobs, nodes }: Size): number {
  const asks = jobs * nodes
  return asks <= 5_000 ? 1_000 : asks <= 20_000 ? 2_000 : asks <= 50_000 ? 4_000 : 8_000
}

function sizes(...all: readonly (readonly [nodes: number, jobs: readonly number[]])[]): Size[] {
  return all.flatMap(([nodes, many]) => many.map((jobs) => ({ jobs, nodes })))
}
