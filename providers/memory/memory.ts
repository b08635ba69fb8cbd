import type { LockProvider, Settled } from '../../src/provider/contract.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import { checkLock, compareNames, isReadable, readRecord, repairLock } from '../../src/provider/record.ts'
import {
  type Resolver,
  resolveAcquire,
  resolveExtend,
  resolveForceRelease,
  resolvePause,
  resolveRelease,
  resolveReset,
} from '../../src/provider/resolve.ts'

import { memoryHistory } from './history.ts'

export interface MemoryOptions {
  /** The store's clock, in ms since the epoch. @default Date.now */
  readonly now?: () => number
}

export type MemoryProvider = LockProvider & {
  /** The locks themselves, for tests to look at. */
  readonly locks: ReadonlyMap<string, StoredLock>
}

/**
 * Keeps locks in this process: for tests, and for an app that runs as one process and wants `lockAtMostFor`, ticks and the
 * rest just the same. Schedulers share locks when they share the provider.
 */
export function memory(options: MemoryOptions = {}): MemoryProvider {
  const now = options.now ?? Date.now
  const locks = new Map<string, StoredLock>()

  const decide = <Request extends { readonly name: string }, Result>(
    request: Request,
    answerer: Resolver<Request, Result>,
  ): Result => {
    const known = locks.get(request.name)
    const { result, next } = answerer(known && checkLock(known), request, now())
    if (next) locks.set(request.name, next)
    return result
  }

  const decideEach = <Request extends { readonly name: string }, Result>(
    requests: readonly Request[],
    answerer: Resolver<Request, Result>,
  ): Settled<Result>[] =>
    requests.map((request) => {
      try {
        return decide(request, answerer)
      } catch (error) {
        return error as Error
      }
    })

  /** True when the record could not be read, and now can. */
  const repair = (name: string): boolean => {
    const known = locks.get(name)
    if (!known || isReadable(known)) return false
    locks.set(name, repairLock(name, known, now()))
    return true
  }

  return {
    locks,
    acquire: async (requests) => decideEach(requests, resolveAcquire),
    extend: async (requests) => decideEach(requests, resolveExtend),
    release: async (requests) => decideEach(requests, resolveRelease),
    async read(names) {
      const storeTime = now()
      const wanted = names ? new Set(names) : undefined
      const found = [...locks].filter(([name]) => !wanted || wanted.has(name))
      return found.map(([name, lock]) => readRecord({ ...lock, name }, storeTime)).sort(compareNames)
    },
    async forceRelease(name) {
      const repaired = repair(name)
      return decide({ name }, resolveForceRelease) || repaired
    },
    async reset(request) {
      const repaired = repair(request.name)
      return decide(request, resolveReset) || repaired
    },
    async prune(olderThanMs) {
      const before = now() - olderThanMs
      const unused = [...locks.values()].filter(
        (lock) => !lock.paused && Math.max(lock.lockUntil, lock.lastTick ?? 0) < before,
      )
      for (const { name } of unused) locks.delete(name)
      return unused.length
    },
    history: memoryHistory(now),
    setPaused: async (request) => decide(request, resolvePause),
    async close() {},
  }
}
