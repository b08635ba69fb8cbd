import { isStoreError } from '../errors.ts'
import type { Locker } from '../locker/locker.ts'
import { nominalTick } from './nominal-tick.ts'
import { checkTerms, type LockedTerms } from './options.ts'
import { answerSkip } from './skip.ts'
import { type TickOfCall, tickToRequest, warnOnce } from './tick-of-call.ts'

/** One call of a wrapped function. */
export interface Call {
  readonly locker: Locker
  /** The call's own `this`. */
  readonly self: unknown
  readonly args: readonly unknown[]
  readonly work: () => unknown
  /** What a library's adapter knows of the call's tick. The options' own `tick`, `cron` and `every` come first. */
  readonly tick: () => TickOfCall
}

/** Calls under a lock, as the options say. */
export type LockedCall = (call: Call) => Promise<unknown>

type AnyTerms = LockedTerms<readonly unknown[], unknown>

/**
 * Checks the options once and answers what runs each call. All that wraps a function or a method (`locked`, `@Locked`, the adapters)
 * comes down to this.
 *
 * @throws {InvalidOptionError} for a wrong option.
 */
export function lockedCalls(terms: LockedTerms<never, unknown>, extra: readonly string[], what?: string): LockedCall {
  const of = checkTerms(terms, extra, what)
  const options = terms as unknown as AnyTerms
  const ofSchedule = nominalTick(options, of)
  const { name, lockAtMostFor, lockAtLeastFor, keepAlive, onCrash, metadata, retry } = options
  const warn = warnOnce()
  const fixed = { lockAtMostFor, lockAtLeastFor, keepAlive, onCrash, metadata, retry }

  const known = (read: () => TickOfCall): Date | undefined => {
    try {
      return tickToRequest(read(), of, lockAtLeastFor)
    } catch (error) {
      warn(error)
      throw error
    }
  }

  return async ({ locker, self, args, work, tick: ofCall }) => {
    const lock = typeof name === 'function' ? name.apply(self, [...args]) : name
    const tick = options.tick ? options.tick.apply(self, [...args]) : known(ofSchedule ?? ofCall)
    let began = false
    try {
      const outcome = await locker.withLock({ ...fixed, name: lock, tick }, () => {
        began = true
        return work()
      })
      if (outcome.ran) return outcome.value
      const { reason, heldBy, heldUntil } = outcome
      const skip = { name: lock, reason, tick, heldBy, heldUntil, error: undefined }
      return await answerSkip(skip, options.onSkip, options.events, args)
    } catch (error) {
      // What the work itself throws is its own affair, also when that is a StoreError of another lock.
      if (began || !isStoreError(error)) throw error
      if (options.onStoreError === 'run') return work()
      if (options.onStoreError !== 'skip') throw error
      const nobody = { heldBy: undefined, heldUntil: undefined }
      const skip = { name: lock, reason: 'store-error' as const, tick, ...nobody, error }
      return answerSkip(skip, options.onSkip, options.events, args)
    }
  }
}
