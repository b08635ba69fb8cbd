import { ErrNotObtained, type RefusalReason } from '../errors.ts'
import { quietly } from '../logger.ts'

/** Why a call did not run. */
export interface Skip {
  /** The lock's name. */
  readonly name: string
  /** The store's answer; `'store-error'`: the store failed, and `onStoreError` is `'skip'`. */
  readonly reason: RefusalReason | 'store-error'
  /** The tick that was requested, if any. */
  readonly tick: Date | undefined
  /** Who has the lock, for people. */
  readonly heldBy: string | undefined
  /** When the holder's lease ends unless it is extended, by the store's clock. */
  readonly heldUntil: Date | undefined
  /** The store's failure, for `'store-error'`. */
  readonly error: unknown
}

/** Hears of every skip: an `EventEmitter` of Node.js or EventEmitter2 as it is, or any object with such an `emit`. */
export interface SkipListener {
  emit(event: 'skipped', skip: Skip): unknown
}

/** What a call that is skipped comes to: `undefined`, an error on request, or what the callback answers. */
export type OnSkip<Skipped, Args extends readonly unknown[] = readonly never[]> =
  | 'throw'
  | ((skip: Skip, ...args: Args) => Skipped)

/** Reports a skip and answers what the call returns in place of its value. What the listener throws changes nothing. */
export function answerSkip(
  skip: Skip,
  onSkip: OnSkip<unknown> | undefined,
  events: SkipListener | undefined,
  args: readonly unknown[],
): unknown {
  quietly(
    () => events?.emit('skipped', skip),
    () => {},
  )
  if (typeof onSkip === 'function')
    return (onSkip as (skip: Skip, ...args: readonly unknown[]) => unknown)(skip, ...args)
  if (onSkip !== 'throw') return undefined
  if (skip.reason === 'store-error') throw skip.error
  throw new ErrNotObtained(skip.name, { ...skip, reason: skip.reason })
}
