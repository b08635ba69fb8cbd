import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'

/** What jobs beyond the bound are called. */
const OTHER = 'other'

/** The default bound. */
const MOST_JOBS = 500

/**
 * The values of the label `job`, bounded: each makes time series of its own in whatever keeps them. The first so many names are told apart, all others
 * are one.
 *
 * @throws {InvalidOptionError} for a bound that is no whole number from 0 to 100,000.
 */
export function jobLabels(most: number = MOST_JOBS): (job: string) => string {
  if (!Number.isInteger(most) || most < 0 || most > 100_000) {
    throw new InvalidOptionError(`mostJobs must be a whole number from 0 to 100000, but is ${show(most)}`)
  }
  const known = new Set<string>()
  return (job) => {
    if (known.has(job)) return job
    if (known.size >= most) return OTHER
    known.add(job)
    return job
  }
}
