import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  LockProvider,
  LockRecord,
  ReleaseRequest,
} from '../../src/provider/contract.ts'
import { decideAcquire, decideExtend, decideRelease, type StoredLock } from '../../src/provider/decide.ts'

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

  const acquire = (request: AcquireRequest): AcquireResult => {
    const storeTime = now()
    const record = locks.get(request.name)
    const decision = decideAcquire(record, request, storeTime)
    if (decision.outcome === 'refuse') {
      return { granted: false, reason: decision.reason, record: record && { ...record, storeTime }, storeTime }
    }
    locks.set(request.name, decision.next)
    return { granted: true, lease: leaseOf(decision.next, request.owner, storeTime) }
  }

  const extend = (request: ExtendRequest): Lease | undefined => {
    const storeTime = now()
    const next = decideExtend(locks.get(request.name), request, storeTime)
    if (next) locks.set(request.name, next)
    return next && leaseOf(next, request.owner, storeTime)
  }

  const release = (request: ReleaseRequest): boolean => {
    const next = decideRelease(locks.get(request.name), request, now())
    if (typeof next === 'object') locks.set(request.name, next)
    return next !== undefined
  }

  return {
    locks,
    acquire: async (requests) => requests.map(acquire),
    extend: async (requests) => requests.map(extend),
    release: async (requests) => requests.map(release),
    async read(names) {
      const storeTime = now()
      const wanted = names ? new Set(names) : undefined
      const found = [...locks.values()].filter(({ name }) => !wanted || wanted.has(name))
      return found.map((lock): LockRecord => ({ ...lock, storeTime })).sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    async forceRelease(name) {
      const lock = locks.get(name)
      const storeTime = now()
      if (!lock || lock.lockUntil <= storeTime) return false
      locks.set(name, { ...lock, lockUntil: storeTime })
      return true
    },
    async prune(olderThanMs) {
      const before = now() - olderThanMs
      const unused = [...locks.values()].filter((lock) => Math.max(lock.lockUntil, lock.lastTick ?? 0) < before)
      for (const { name } of unused) locks.delete(name)
      return unused.length
    },
    async close() {},
  }
}

const leaseOf = (lock: StoredLock, owner: string, storeTime: number): Lease => ({
  name: lock.name,
  owner,
  fencingToken: lock.fencingToken,
  acquiredAt: lock.lockedAt,
  lockUntil: lock.lockUntil,
  storeTime,
})
