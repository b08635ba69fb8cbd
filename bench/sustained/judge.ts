import type { Minute, NodeReport } from './protocol.ts'

export interface Verdict {
  readonly due: number
  readonly ran: number
  readonly twice: number
  readonly missed: number
}

/**
 * Counts the runs of all ticks due by the arithmetic of the schedule: each second from `from` until before `to`, each
 * job.
 */
export function judge(reports: readonly NodeReport[], jobs: number, from: number, to: number): Verdict {
  const nodes = reports.map(({ ran }) => new Map(ran.map(([tick, marks]) => [tick, Buffer.from(marks, 'base64')])))
  let due = 0
  let ran = 0
  let twice = reports.reduce((sum, { again }) => sum + again, 0)
  let missed = 0
  for (let tick = from; tick < to; tick += 1_000)
    for (let job = 0; job < jobs; job++) {
      let runs = 0
      for (const marks of nodes) if (((marks.get(tick)?.[job >> 3] ?? 0) >> (job & 7)) & 1) runs++
      due++
      ran += runs
      twice += Math.max(0, runs - 1)
      if (runs === 0) missed++
    }
  return { due, ran, twice, missed }
}

/** The lateness, in ms, below which this share (0 to 1) of the runs of some minutes began; NaN for none. */
export function lateness(minutes: readonly Minute[], share: number): number {
  const all = new Map<number, number>()
  for (const { late } of minutes) for (const [ms, runs] of late) all.set(ms, (all.get(ms) ?? 0) + runs)
  const sorted = [...all].sort(([a], [b]) => a - b)
  const wanted = share * sorted.reduce((sum, [, runs]) => sum + runs, 0)
  let seen = 0
  for (const [ms, runs] of sorted) {
    seen += runs
    if (seen >= wanted) return ms
  }
  return Number.NaN
}
