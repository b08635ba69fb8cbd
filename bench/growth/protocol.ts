/** What a process is told to do: a cell of so many jobs. */
export interface Order {
  /** The beginning of the jobs' names, another for each cell. */
  readonly cell: string
  readonly jobs: number
  /** From one tick to the next, in ms. */
  readonly period: number
  /** The first tick that counts, and the first that doesn't any more, in ms since the epoch. */
  readonly from: number
  readonly to: number
}

/** What it tells of it. */
export interface Told {
  /** CPU time from half a period before the first tick to half a period before the end, in ms. */
  readonly cpu: number
  /** Calls of the provider in that time. */
  readonly calls: number
  /** For each tick, how long after it the last job of the last node was decided, in ms; -1 where some were not. */
  readonly ticks: readonly number[]
}
