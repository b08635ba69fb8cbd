import { percentile } from '../harness/statistics.ts'

/** One line of the witness file: a run that began. */
export interface Begun {
  readonly job: string
  /** The tick that it was for, ms since the epoch. */
  readonly tick: number
  /** When, by the true clock. */
  readonly at: number
  readonly node: string
}

export interface Verdict {
  /** Ticks that were due, of all jobs together. */
  readonly due: number
  readonly run: number
  readonly twice: number
  readonly missed: number
  /** By how many ms the first run of a tick began after it. */
  readonly p50: number
  readonly p99: number
}

/**
 * Judges all coordinators alike: for each job and each tick from `from` to `to`, both included, how often its run began. The ticks are worked
 * out here by arithmetic and not by any scheduler: the whole multiples of `every` ms since the epoch.
 */
export function judge(
  begun: readonly Begun[],
  { jobs, from, to, every }: { jobs: readonly string[]; from: number; to: number; every: number },
): Verdict {
  const runs = new Map<string, number[]>()
  for (const { job, tick, at } of begun) {
    const key = `${job} ${tick}`
    const times = runs.get(key)
    if (times) times.push(at)
    else runs.set(key, [at])
  }
  const verdict = { due: 0, run: 0, twice: 0, missed: 0 }
  const lateness: number[] = []
  for (let tick = Math.ceil(from / every) * every; tick <= to; tick += every) {
    for (const job of jobs) {
      const times = runs.get(`${job} ${tick}`) ?? []
      verdict.due++
      if (times.length > 0) verdict.run++
      else verdict.missed++
      if (times.length > 1) verdict.twice++
      if (times.length > 0) lateness.push(Math.min(...times) - tick)
    }
  }
  return { ...verdict, p50: percentile(lateness, 0.5), p99: percentile(lateness, 0.99) }
}
