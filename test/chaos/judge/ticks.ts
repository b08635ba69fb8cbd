import type { Case, JudgedJob } from './judge.ts'

/** How long a node has to be fit after a tick to be answerable for it, in ms; less when its grace is shorter. */
export const ANSWERABLE = 1_000

/** The ticks of a job that are due, by arithmetic. */
export function* ticksOf({ interval }: JudgedJob, { epoch, from, to }: Case): Generator<number> {
  const last = to + epoch
  for (let tick = Math.ceil((from + epoch) / interval) * interval; tick <= last; tick += interval) yield tick
}
