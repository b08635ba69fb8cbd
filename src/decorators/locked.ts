import { InvalidOptionError } from '../errors.ts'
import { lockedCalls } from '../locked/call.ts'
import { checkLocker, type LockedTerms } from '../locked/options.ts'
import type { TickOfCall } from '../locked/tick-of-call.ts'
import type { Locker } from '../locker/locker.ts'
import { lockerOf } from './bound-locker.ts'
import { type AnyMethod, inBothForms } from './form.ts'
import { keepMarks, markLocked } from './marks.ts'
import { nestNotes } from './nest-notes.ts'

/** The options of `@Locked`: those of `locked()`, with the locker as it can be had inside a class. */
export interface LockedMethodOptions<Args extends readonly unknown[], Skipped> extends LockedTerms<Args, Skipped> {
  /**
   * The locker, or a function that answers it from the instance (for a static method, the class), such as `(self: Reports) => self.locker`.
   * @default the one that the instance or its class was given by `useLocker`
   */
  readonly locker?: Locker | ((self: never) => Locker) | undefined
}

/** A method whose arguments begin with those that the options look at. */
type MethodOf<Args extends readonly unknown[]> = (...args: [...Args, ...never[]]) => Promise<unknown>

/** The reason why a method can't be decorated: a compiler's error shows it. */
export interface SkippedCallReturns<Skipped> {
  readonly 'a skipped call returns this, which the method does not: widen its type, or set onSkip': Skipped
}

type Result<Method extends AnyMethod, Skipped, Answer> = [Skipped] extends [Awaited<ReturnType<Method>>]
  ? // biome-ignore lint/suspicious/noConfusingVoidType: what a decorator answers that changes no type
    Answer | void
  : SkippedCallReturns<Skipped>

/** `@Locked` in both forms. The method keeps its type, so that must allow for what a skipped call returns. */
export interface LockedDecorator<Args extends readonly unknown[], Skipped> {
  <This, Method extends MethodOf<Args>>(
    method: Method,
    context: ClassMethodDecoratorContext<This, Method>,
  ): Result<Method, Skipped, Method>
  <Method extends MethodOf<Args>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): Result<Method, Skipped, TypedPropertyDescriptor<Method>>
}

/**
 * Runs each call of an async method under a lock: of all nodes, and of all instances of the class unless the name is made from them, one at a
 * time. A call that finds the lock taken is skipped: it resolves with `undefined`, with what `onSkip` answers, or rejects. Stands on methods of
 * instances, static and private ones. A subclass inherits the locked method; an override is not locked unless it is decorated or calls `super`.
 * Both forms of decorators: the standard one, and TypeScript's `experimentalDecorators`.
 *
 * @example
 * ＠Locked({ name: (tenant: string) => `sync:${tenant}`, lockAtMostFor: '5m', onSkip: 'throw' })
 * async sync(tenant: string): Promise<number> { … }
 *
 * @throws {InvalidOptionError} when the class is defined, for a wrong option.
 */
export function Locked<Args extends readonly unknown[] = [], Skipped = undefined>(
  options: LockedMethodOptions<Args, Skipped> & { readonly onSkip: 'throw' },
): LockedDecorator<Args, never>
export function Locked<Args extends readonly unknown[] = [], Skipped = undefined>(
  options: LockedMethodOptions<Args, Skipped>,
): LockedDecorator<Args, Skipped>
export function Locked(options: LockedMethodOptions<never, unknown>): unknown {
  return lockedDecorator('Locked', options, refuseSchedule)
}

/** Beside a decorator of `@nestjs/schedule`, a call has a tick that only `@SchedulerLock` knows. */
function refuseSchedule(_: unknown, method: AnyMethod): TickOfCall {
  const { cron, interval, timeout } = nestNotes(method)
  if (!cron && !interval) return timeout ? 'no-schedule' : 'by-hand'
  throw new InvalidOptionError(
    `@Locked beside ${cron ? '@Cron' : '@Interval'}: use @SchedulerLock of ticklock/nestjs, which knows the tick, or give it cron (and timezone), every or tick`,
  )
}

/** Both overloads of {@link Locked}, for a decorator of another name. */
export type LockedDecoratorFactory = typeof Locked

/** Makes the decorator; `tickOf` answers what is known of a call's tick from elsewhere, from the instance and the method as it is in the end. */
export function lockedDecorator(
  decorator: string,
  options: LockedMethodOptions<never, unknown>,
  tickOf: (self: unknown, method: AnyMethod) => TickOfCall,
): unknown {
  const { locker } = options ?? {}
  if (locker !== undefined && typeof locker !== 'function') checkLocker(locker, `@${decorator}`)
  const run = lockedCalls(options, ['locker'], `@${decorator}`)
  return inBothForms(decorator, ({ method, name }) => {
    const wrapped = async function (this: unknown, ...args: never[]): Promise<unknown> {
      const locker = lockerFor(this, options, `@${decorator} on ${name}()`)
      const work = (): unknown => method.apply(this as never, args)
      return run({ locker, self: this, args, work, tick: () => tickOf(this, wrapped) })
    }
    return markLocked(keepMarks(method, wrapped))
  })
}

function lockerFor(self: unknown, { locker }: LockedMethodOptions<never, unknown>, of: string): Locker {
  if (typeof locker === 'function') return checkLocker(locker(self as never), of)
  const found = locker ?? lockerOf(self)
  if (found) return found
  throw new InvalidOptionError(
    `${of}: there is no locker; give the option locker, or call useLocker(locker, instance or class) before the first call`,
  )
}
