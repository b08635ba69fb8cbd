import type { History, Life } from './history.ts'

/** A process is given so long after its start, in ms, to be in step with the others. */
const SETTLING = 1_000
/** Stalls so shortly before a tick delay it, in ms. */
const BEFORE = 100

/** The lives that were up, in touch with the store, and got to run, from before `at` to `until` (monotonic). */
export function fitLives({ lives, faults }: History, at: number, until: number, recovery: number): Life[] {
  const from = at - recovery
  const around = faults.filter((fault) => fault.from <= until && fault.until >= from)
  if (around.some(({ scope }) => scope === 'store')) return []
  const troubled = new Set(around.map(({ scope }) => scope))
  return [...lives.values()].filter(
    (life) =>
      life.readyAt + SETTLING <= at &&
      life.until > until &&
      !troubled.has(life.node) &&
      !life.stalls.some((stall) => stall.from <= until && stall.until >= at - BEFORE),
  )
}

/** A request for a record that was locked or unreadable is repeated, and decided within so long after that is over, in ms. */
const REPEATED = 1_000

/** Whether a job's own record was locked or unreadable around a span: that concerns no other job. */
export const hadBadRecord = ({ faults }: History, job: string, from: number, until: number): boolean =>
  faults.some((fault) => fault.scope === job && fault.from <= until && fault.until >= from - REPEATED)

/** Whether some process of the run did not get to run around a moment: the machine was busy. */
export function wasBusy({ lives }: History, from: number, until: number): boolean {
  return [...lives.values()].some(({ stalls }) => stalls.some((stall) => stall.from <= until && stall.until >= from))
}
