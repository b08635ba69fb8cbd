import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { lockedCalls } from './call.ts'
import { checkLocker, type LockedOptions } from './options.ts'
import { refuseSchedulers } from './schedulers.ts'
import type { ReadTick } from './tick-of-call.ts'

/** A function that runs under its lock, or is skipped. */
export type Locked<This, Args extends readonly unknown[], Value, Skipped> = (
  this: This,
  ...args: Args
) => Promise<Value | Skipped>

/** The arguments as the work takes them, whichever of them the options look at. `NoInfer` does not do here: no tuple, no rest parameter. */
type OfWork<Args extends readonly unknown[]> = [Args][Args extends unknown ? 0 : never]

/** Wraps functions of whatever arguments; `Skipped` is what a call that is skipped answers. */
export interface LockedFunction {
  <This, Args extends readonly unknown[], Value>(
    options: LockedOptions<OfWork<Args>, never> & { readonly onSkip: 'throw' },
    work: (this: This, ...args: Args) => Value | PromiseLike<Value>,
  ): Locked<This, Args, Value, never>
  <This, Args extends readonly unknown[], Value, Skipped = undefined>(
    options: LockedOptions<OfWork<Args>, Skipped>,
    work: (this: This, ...args: Args) => Value | PromiseLike<Value>,
  ): Locked<This, Args, Value, Skipped>
}

/** Makes the `locked` of an adapter. */
export const lockedBy =
  (tickOf: ReadTick): LockedFunction =>
  (options: LockedOptions<never, unknown>, work: (...args: never) => unknown) => {
    const run = lockedCalls(options, ['locker'])
    const locker = checkLocker(options.locker, 'locked')
    if (typeof work !== 'function')
      throw new InvalidOptionError(`locked: the work must be a function, but is ${show(work)}`)
    return function (this: unknown, ...args: readonly unknown[]) {
      const call = { locker, self: this, args, work: () => work.apply(this, args as never) }
      return run({ ...call, tick: () => tickOf(this, args) }) as Promise<never>
    }
  }

/**
 * Wraps a function so that each call runs under the lock, or is skipped when another node has it. The wrapped function takes the same
 * arguments and `this`. Inside it, `currentLock()` has the fencing token and the signal that aborts when the lease is lost.
 *
 * With `tick`, `cron` or `every` in the options, a call that is for a tick runs once per tick in the whole cluster, however short it is and
 * whenever each node calls. Without them the lock alone excludes: two nodes that call one after the other both run, unless
 * `lockAtLeastFor` is longer than the time between. A call that comes from a scheduler with an adapter of its own (`ticklock/croner` and
 * others) is refused without them.
 *
 * @example
 * setInterval(locked({ locker, name: 'poll', every: '10s', lockAtMostFor: '1m' }, poll), 10_000)
 *
 * @throws {InvalidOptionError} for a wrong option, at once. The call rejects with what the function throws, and as `onSkip` and
 * `onStoreError` say.
 */
export const locked: LockedFunction = lockedBy(refuseSchedulers)
