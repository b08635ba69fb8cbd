import type { LockProvider, Settled } from '../contract.ts'
import { compareNames, isReadable, readRecord, unreadable } from '../record.ts'
import {
  acquireWithin,
  extendWithin,
  forceReleaseWithin,
  pauseWithin,
  releaseWithin,
  resetWithin,
  timeOf,
} from './bounded.ts'
import { decodeLock } from './codec.ts'
import { decideAll } from './decide-all.ts'
import type { VersionedStore } from './store.ts'

/** How long a call lasts at most when its caller sets no timeout, in ms. */
const DEFAULT_TIMEOUT = 5_000

/**
 * Keeps locks in a store that can only compare and set. Every write is on condition of the version that was read, so two nodes never
 * both change a record, however late their reads and writes are.
 */
export function versionedProvider(store: VersionedStore): LockProvider {
  return {
    acquire: (requests, { timeout = DEFAULT_TIMEOUT } = {}) =>
      decideAll(store, { requests, resolve: acquireWithin, timeout }),
    extend: (requests, { timeout = DEFAULT_TIMEOUT } = {}) =>
      decideAll(store, { requests, resolve: extendWithin, timeout }),
    release: (requests, { timeout = DEFAULT_TIMEOUT } = {}) =>
      decideAll(store, { requests, resolve: releaseWithin, timeout }),

    async read(names) {
      if (names?.length === 0) return []
      const entries = names ? await store.get([...new Set(names)], { timeout: DEFAULT_TIMEOUT }) : await store.list()
      const bounds = await store.now()
      return [...entries].sort(compareNames).map(({ name, value }) => {
        const { raw, changedAt, problem } = decodeLock(name, value)
        const storeTime = timeOf(bounds, changedAt).earliest
        return problem === undefined
          ? readRecord(raw, storeTime)
          : { name, unreadable: unreadable(name, problem), storeTime }
      })
    },

    forceRelease: async (name) =>
      only(
        await decideAll(store, {
          requests: [{ name }],
          resolve: forceReleaseWithin,
          repaired: true,
          timeout: DEFAULT_TIMEOUT,
        }),
      ),
    reset: async (request) =>
      only(
        await decideAll(store, {
          requests: [request],
          resolve: resetWithin,
          repaired: true,
          timeout: DEFAULT_TIMEOUT,
        }),
      ),
    setPaused: async (request) =>
      only(await decideAll(store, { requests: [request], resolve: pauseWithin, timeout: DEFAULT_TIMEOUT })),

    async prune(olderThanMs) {
      const entries = await store.list()
      const before = (await store.now()).earliest - olderThanMs
      const unused = entries.filter(({ name, value }) => {
        const { raw } = decodeLock(name, value)
        const lastUse = Math.max(Number(raw.lockUntil), Number(raw.lastTick ?? 0))
        return isReadable(raw) && raw.paused !== true && lastUse < before
      })
      return unused.length === 0 ? 0 : await store.remove(unused)
    },

    ...(store.setup && { setup: () => store.setup?.() ?? Promise.resolve() }),
    close: () => store.close(),
  }
}

function only<Result>([result]: readonly Settled<Result>[]): Result {
  if (result instanceof Error) throw result
  return result as Result
}
