import { checkLocker } from '../locked/options.ts'
import type { Locker } from '../locker/locker.ts'

// A key of the objects that it concerns; a registered symbol, so that two copies of the package agree.
const LOCKER = Symbol.for('ticklock.decorators.locker')

type Bound = { [LOCKER]?: Locker }

/**
 * Gives instances, or classes with all their instances and subclasses, the locker of their `@Locked` methods. An instance's own comes before
 * its class's, and a subclass's before its base class's. A later call takes the place of an earlier one.
 *
 * @throws {InvalidOptionError} for what is not a Locker.
 */
export function useLocker(locker: Locker, ...targets: readonly object[]): void {
  checkLocker(locker, 'useLocker')
  const bound = { value: locker, configurable: true, writable: true, enumerable: false }
  for (const target of targets) Object.defineProperty(target, LOCKER, bound)
}

/** The locker of an instance or class, or of the nearest class that it comes from. */
export function lockerOf(self: unknown): Locker | undefined {
  if (typeof self !== 'object' && typeof self !== 'function') return undefined
  const own = (self as Bound | null)?.[LOCKER]
  return own ?? ((self as object | null)?.constructor as Bound | undefined)?.[LOCKER]
}
