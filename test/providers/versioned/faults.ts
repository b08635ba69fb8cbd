/* What may happen to a versioned store at any time, and must not be seen by whoever uses the provider on it. */
import type { VersionedEntry, VersionedStore, VersionedWrite, WriteResult } from '../../../src/provider/index.ts'
import type { MemoryVersions } from './memory-versions.ts'

/** How often each fault occurs, from 0 to 1. */
export interface FaultRates {
  /** Another writer writes the same value between a read and a write. */
  readonly conflict?: number
  /** A write is done, and its response is lost. */
  readonly lostResponse?: number
  /** A write is not done, and nobody can tell. */
  readonly lostRequest?: number
  /** A write fails, and is done some turns of the event loop later, if the version is still the same. */
  readonly lateWrite?: number
  /** A whole `put` is done, and then the call fails. */
  readonly failedCall?: number
  /** A read returns what was stored before the last write. */
  readonly staleRead?: number
}

/** Numbers from 0 to 1 that look random, the same for each seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

async function later(random: () => number): Promise<void> {
  for (let turns = random() * 30; turns > 0; turns--) await new Promise(setImmediate)
}

export function withFaults(
  store: VersionedStore,
  versions: MemoryVersions,
  rates: FaultRates,
  random: () => number,
): VersionedStore {
  const happens = (rate = 0): boolean => random() < rate
  const before = new Map<string, VersionedEntry>()

  const touch = (name: string): void => {
    const entry = versions.entries.get(name)
    if (entry) versions.set(name, entry.value)
  }

  const putOne = async (write: VersionedWrite): Promise<WriteResult> => {
    if (happens(rates.conflict)) touch(write.name)
    if (happens(rates.lostRequest)) return new Error('socket hang up before the request was sent')
    if (happens(rates.lateWrite)) {
      void later(random).then(() => store.put([write], { timeout: 1_000 }))
      return new Error('socket hang up, and the request arrives later')
    }
    const known = versions.entries.get(write.name)
    const [result] = await store.put([write], { timeout: 1_000 })
    if (result === 'written' && known) before.set(write.name, known)
    return happens(rates.lostResponse) ? new Error('socket hang up') : (result as WriteResult)
  }

  return {
    ...store,
    async get(names, call) {
      const entries = await store.get(names, call)
      return entries.map((entry) => (happens(rates.staleRead) ? (before.get(entry.name) ?? entry) : entry))
    },
    async put(writes) {
      const results = await Promise.all(writes.map(putOne))
      if (happens(rates.failedCall)) throw new Error('connection reset')
      return results
    },
  }
}
