import { type Duration, parseDuration, show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'

/**
 * How to wait for a lock that is held: given how many asks have been refused (from 1), the milliseconds until the next ask, or
 * `undefined` to give up. A strategy keeps no state, so one can serve any number of acquisitions.
 */
export type RetryStrategy = (refusals: number) => number | undefined

/** Asks once. The default. */
export const noRetry = (): RetryStrategy => () => undefined

/** Asks again after the same pause (at least 1 ms) each time, without end. */
export function linearBackoff(pause: Duration): RetryStrategy {
  const milliseconds = parseDuration(pause, { of: 'linearBackoff', option: 'pause', min: 1 })
  return () => milliseconds
}

/** Asks again after `min`, then twice that, and so on up to `max`, without end. */
export function exponentialBackoff(min: Duration, max: Duration): RetryStrategy {
  const least = parseDuration(min, { of: 'exponentialBackoff', option: 'min', min: 1 })
  const most = parseDuration(max, { of: 'exponentialBackoff', option: 'max', min: least })
  return (refusals) => Math.min(most, least * 2 ** Math.min(refusals - 1, 60))
}

/** As the given strategy, but gives up after `retries` further asks. */
export function limitRetry(strategy: RetryStrategy, retries: number): RetryStrategy {
  if (!Number.isInteger(retries) || retries < 0) {
    throw new InvalidOptionError(`limitRetry: retries must be a whole number from 0, but is ${show(retries)}`)
  }
  return (refusals) => (refusals > retries ? undefined : strategy(refusals))
}
