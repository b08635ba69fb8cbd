import { InvalidOptionError } from '../errors.ts'

/**
 * The tick that a call is for, or why it has none:
 * - `'by-hand'`: nobody's schedule calls. The lock alone excludes.
 * - `'no-schedule'`: a scheduler calls at times that nodes don't share, as a timeout from the start of each process does. Two nodes
 *   that call one after the other both run, unless `lockAtLeastFor` covers the time between.
 * - `undefined`: a scheduler may have called for a tick that can't be known here. The call is refused.
 */
export type TickOfCall = Date | 'by-hand' | 'no-schedule' | undefined

/** How a library's adapter learns the tick of a call, from the `this` and the arguments that the library calls with. */
export type ReadTick = (self: unknown, args: readonly unknown[]) => TickOfCall

const REMEDY =
  'give it cron (and timezone), every or tick, as the call is scheduled, or "tick: () => undefined" if only the lock has to exclude'

/**
 * The tick to request.
 *
 * @throws {InvalidOptionError} when the call may be for a tick that isn't known: without it, nodes would run the same tick one after the other.
 */
export function tickToRequest(call: TickOfCall, of: string, lockAtLeastFor: unknown): Date | undefined {
  if (call === 'by-hand' || (call === 'no-schedule' && lockAtLeastFor !== undefined)) return undefined
  if (call instanceof Date) return call
  const least =
    call === undefined ? '' : ', or lockAtLeastFor, which keeps the lock for longer than the calls are apart'
  throw new InvalidOptionError(
    `${of}: the tick of this call is not known, so each node would run it: ${REMEDY}${least}`,
  )
}

/** Reports once for each wrapped function: some libraries, node-cron 3 for one, drop what a call rejects with. */
export function warnOnce(): (error: unknown) => void {
  let warned = false
  return (error) => {
    if (warned || !(error instanceof InvalidOptionError)) return
    warned = true
    process.emitWarning(error.message, { type: 'TicklockWarning', code: 'TICKLOCK_NO_TICK' })
  }
}
