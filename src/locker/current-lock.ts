import { AsyncLocalStorage } from 'node:async_hooks'
import { LockNotHeldError } from '../errors.ts'
import type { Lock } from '../lock/lock.ts'

/** Work that goes on, and the work around it when one calls another. */
export interface Scope {
  /** The lock under which it runs, if any. */
  readonly lock: Lock | undefined
  readonly outer: Scope | undefined
}

// Carries the scope down the calls of one piece of work; nothing is shared between two pieces of work or two
// schedulers. The ES modules and the CommonJS of this package may live in one process, and each has to find the lock of
// the other, so the carrier is the process's. One for all purposes: each carrier costs every promise of the process.
const CARRIER = Symbol.for('ticklock.current-lock.1')
const { [CARRIER]: scopes = new AsyncLocalStorage<Scope>() } = globalThis as { [CARRIER]?: AsyncLocalStorage<Scope> }
Object.defineProperty(globalThis, CARRIER, { value: scopes, configurable: true })

/** The scope of the calling code. */
export const currentScope = (): Scope | undefined => scopes.getStore()

/** Calls the work so that {@link currentScope} is this one in it and in all that it calls. */
export const runInScope = <T, Args extends unknown[]>(scope: Scope, work: (...args: Args) => T, ...args: Args): T =>
  scopes.run(scope, work, ...args)

/** Calls the work so that {@link currentLock} finds this lock inside it. */
export const runWithLock = <T>(lock: Lock, work: () => T): T => runInScope({ lock, outer: currentScope() }, work)

/**
 * The innermost lock under which the calling code runs (`withLock`, or a scheduler's job), held or lost; `undefined`
 * outside of any.
 */
export const currentLock = (): Lock | undefined => innermost()

/**
 * Makes sure that the calling code runs under a lock that may be relied on right now: the innermost one, or the one of
 * that name. Answers it.
 *
 * @throws {LockNotHeldError} when there is none, or it was lost or released.
 */
export function assertLocked(name?: string): Lock {
  const lock = innermost(name)
  if (!lock) throw new LockNotHeldError(name ?? '', 'this code does not run under it; call it inside withLock or a job')
  if (!lock.held) throw new LockNotHeldError(lock.name, lock.lost?.message ?? 'it was released')
  return lock
}

function innermost(name?: string): Lock | undefined {
  let scope = currentScope()
  while (scope && (!scope.lock || (name !== undefined && scope.lock.name !== name))) scope = scope.outer
  return scope?.lock
}
