import type { DemoJob } from './jobs.ts'

/** One line of the witness file. */
export interface Witnessed {
  readonly what: 'begin' | 'end'
  readonly job: string
  readonly tick: number
  readonly node: string
  readonly fencingToken: number
}

export interface Verdict {
  readonly job: string
  readonly due: number
  readonly run: number
  /** Begun again by another node after the first one was killed in the middle of it. */
  readonly takenOver: number
  readonly twice: number
  readonly missed: number
}

/**
 * Judges what the witness saw against the ticks that were due from `from` to `to`, both included, worked out here by arithmetic and not by the
 * scheduler. A tick ran twice when two nodes finished it, or when it began twice although no node was killed in it.
 */
export function judge(
  job: DemoJob,
  witnessed: readonly Witnessed[],
  from: number,
  to: number,
  killed: string,
): Verdict {
  const verdict = { job: job.name, due: 0, run: 0, takenOver: 0, twice: 0, missed: 0 }
  for (let tick = Math.ceil(from / job.every) * job.every; tick <= to; tick += job.every) {
    const seen = witnessed.filter((line) => line.job === job.name && line.tick === tick)
    const begun = seen.filter(({ what }) => what === 'begin')
    const ended = seen.filter(({ what }) => what === 'end')
    const cutShort = begun.filter(({ node }) => node === killed && !ended.some((end) => end.node === killed))
    verdict.due++
    if (ended.length > 1 || begun.length - cutShort.length > 1) verdict.twice++
    if (ended.length > 0) verdict.run++
    else verdict.missed++
    if (cutShort.length > 0 && ended.length > 0) verdict.takenOver++
  }
  return verdict
}
