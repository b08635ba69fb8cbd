import { groupBy } from './group.ts'
import type { Grant, History } from './history.ts'
import type { Violate } from './judge.ts'

/** By how much the clocks of one machine may go apart during one lease, in ms: they are the same crystal, but one is slewed. */
const SLACK = 10

/**
 * One holder. From the moment a node knows of its grant until its own deadline, or until it begins to give the lease back, it may rely on it, and
 * nobody else may rely on one of the same name.
 */
export function judgeHolders({ grants }: History, violate: Violate): void {
  for (const [job, ofJob] of groupBy(grants, (grant) => grant.job)) {
    let last: Grant | undefined
    for (const grant of ofJob.sort((a, b) => a.knownAt - b.knownAt)) {
      if (endOf(grant) <= grant.knownAt) continue
      const both = last ? endOf(last) - grant.knownAt : 0
      if (last && both > SLACK) {
        violate(
          'one holder',
          `${job}: ${last.life} (token ${last.token}) and ${grant.life} (${grant.token}) for ${both} ms`,
        )
      }
      if (!last || endOf(grant) > endOf(last)) last = grant
    }
  }
}

const endOf = ({ until, release }: Grant): number => Math.min(until, release.startedAt)
