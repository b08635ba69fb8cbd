import { AsyncLocalStorage } from 'node:async_hooks'
import { LockNotHeldError } from '../errors.ts'
import type { Lock } from '../lock/lock.ts'

interface Scope {
  readonly lock: Lock
  /** The scope of the work around it, when locks are nested. */
  readonly outer: Scope | undefined
}

// Carries the lock down the calls of one piece of work; nothing is shared between two pieces of work or two schedulers. The ES modules and the
// CommonJS of this package may live in one process, and each has to find the lock of the other, so the carrier is the process's.
const CARRIER = Symbol.for('ticklock.current-lock.1')
const { [CARRIER]: scopes = new AsyncLocalStorage<Scope>() } = globalThis as { [CARRIER]?: AsyncLocalStorage<Scope> }
Object.defineProperty(globalThis, CARRIER, { value: scopes, configurable: true })

/** Calls the work so that {@link currentLock} finds this lock inside it. */
export const runWithLock = <T, Args extends unknown[]>(lock: Lock, work: (...args: Args) => T, ...args: Args): T =>
  scopes.run({ lock, outer: scopes.getStore() }, work, ...args)

/** The innermost lock under which the calling code runs (`withLock`, or a scheduler's job), held or lost; `undefined` outside of any. */
export const currentLock = (): Lock | undefined => scopes.getStore()?.lock

/**
 * Makes sure that the calling code runs under a lock that may be relied on right now: the innermost one, or the one of that name.
 * Answers it.
 *
 * @throws {LockNotHeldError} when there is none, or it was lost or released.
 */
export function assertLocked(name?: string): Lock {
  let scope = scopes.getStore()
  while (scope && name !== undefined && scope.lock.name !== name) scope = scope.outer
  if (!scope)
    throw new LockNotHeldError(name ?? '', 'this code does not run under it; call it inside withLock or a job')
  if (!scope.lock.held) throw new LockNotHeldError(scope.lock.name, scope.lock.lost?.message ?? 'it was released')
  return scope.lock
}
