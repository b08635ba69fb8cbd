import { groupBy } from './group.ts'
import type { Grant, History, RunOfTick } from './history.ts'
import type { JudgedJob, Violate } from './judge.ts'

/**
 * Once per tick. By rule 10 a tick of a job with `onCrash: 'rerun'` runs again after the lease of the run before lapsed without release; nothing
 * else may run twice. Answers how many ticks were begun again so.
 */
export function judgeOnce(history: History, jobs: readonly JudgedJob[], violate: Violate): number {
  const grants = new Map(history.grants.map((grant) => [keyOf(grant), grant]))
  const byTick = groupBy(history.runs, ({ job, tick }) => `${job} at ${tick}`)
  let rerun = 0
  for (const [name, runs] of byTick) {
    const mayRerun = jobs.find((job) => job.name === runs[0]?.job)?.onCrash === 'rerun'
    let again = false
    for (const [index, run] of runs.entries()) {
      const before = runs[index - 1]
      if (!before) continue
      const why = mayRerun ? notLapsed(before, run, grants) : 'the job is not to be run again'
      if (why === undefined) again = true
      else violate('once per tick', `${name} ran on ${before.life} and on ${run.life}: ${why}`)
    }
    if (again) rerun++
  }
  return rerun
}

/** Why the second run may not have been, if it may not. */
function notLapsed(before: RunOfTick, run: RunOfTick, grants: ReadonlyMap<string, Grant>): string | undefined {
  const first = grants.get(keyOf(before))
  const second = grants.get(keyOf(run))
  if (!first || !second) return 'a run has no grant'
  if (first.release.freedAt !== undefined && first.release.marked) return 'the first had ended and was released'
  if (run.token <= before.token) return 'the second has no higher token'
  if (second.knownAt < endOf(first)) return 'the lease of the first had not lapsed'
  return undefined
}

/**
 * An extension may reach the store after its owner has lost the lease. The owner then releases that as unused, without
 * its tick.
 */
const endOf = ({ until, release }: Grant): number => (release.marked ? until : Math.min(until, release.startedAt))

const keyOf = ({ job, life, token }: Pick<Grant, 'job' | 'life' | 'token'>): string => `${job} ${life} ${token}`
