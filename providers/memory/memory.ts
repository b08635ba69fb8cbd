import {
  type Answerer,
  answerAcquire,
  answerExtend,
  answerForceRelease,
  answerPause,
  answerRelease,
} from '../../src/provider/answers.ts'
import type { LockProvider, LockRecord } from '../../src/provider/contract.ts'
import type { StoredLock } from '../../src/provider/decide.ts'

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

  const decide = <Request extends { readonly name: string }, Answer>(
    request: Request,
    answerer: Answerer<Request, Answer>,
  ): Answer => {
    const { answer, next } = answerer(locks.get(request.name), request, now())
    if (next) locks.set(request.name, next)
    return answer
  }

  return {
    locks,
    acquire: async (requests) => requests.map((request) => decide(request, answerAcquire)),
    extend: async (requests) => requests.map((request) => decide(request, answerExtend)),
    release: async (requests) => requests.map((request) => decide(request, answerRelease)),
    async read(names) {
      const storeTime = now()
      const wanted = names ? new Set(names) : undefined
      const found = [...locks.values()].filter(({ name }) => !wanted || wanted.has(name))
      return found.map((lock): LockRecord => ({ ...lock, storeTime })).sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    forceRelease: async (name) => decide({ name }, answerForceRelease),
    async prune(olderThanMs) {
      const before = now() - olderThanMs
      const unused = [...locks.values()].filter(
        (lock) => !lock.paused && Math.max(lock.lockUntil, lock.lastTick ?? 0) < before,
      )
      for (const { name } of unused) locks.delete(name)
      return unused.length
    },
    history: memoryHistory(now),
    setPaused: async (request) => decide(request, answerPause),
    async close() {},
  }
}
