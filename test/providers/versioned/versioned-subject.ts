/* How the tests meet the provider over a versioned store in memory. */
import { type VersionedStore, versionedProvider } from '../../../src/provider/index.ts'
import type { ConformanceSubject, StoredRecord } from '../../../src/testing/index.ts'
import { MemoryVersions, memoryStore, storeNow } from './memory-versions.ts'

/** Ways to spoil a record that is kept as JSON. */
export function jsonPoisons(
  read: (name: string) => Promise<string | undefined>,
  write: (name: string, value: string) => unknown,
): Readonly<Record<string, (name: string) => unknown>> {
  const spoil = (values: Readonly<Record<string, unknown>>) => async (name: string) =>
    await write(name, JSON.stringify({ ...JSON.parse((await read(name)) ?? '{}'), ...values }))
  return {
    'no JSON': (name) => write(name, '{"lockUntil":'),
    'JSON that is no object': (name) => write(name, '[1, 2]'),
    'an empty object': (name) => write(name, '{}'),
    'a time out of range': spoil({ lockUntil: 9e15 }),
    'a string where a time belongs': spoil({ lockUntil: 'soon' }),
    'no holder': spoil({ lockedBy: undefined }),
    'a fencing token out of range': spoil({ fencingToken: 1e30 }),
    'a fencing token that no exact one follows': spoil({ fencingToken: Number.MAX_SAFE_INTEGER }),
    'a last tick that is no time': spoil({ lastTick: 'yesterday' }),
    'a pause that is no boolean': spoil({ paused: 'yes' }),
  }
}

/** What a record kept as JSON holds. */
export function storedRecord(value: string | undefined): StoredRecord | undefined {
  if (value === undefined) return undefined
  const { changedAt, ...record } = JSON.parse(value)
  return record
}

const failing = async (): Promise<never> => {
  throw new Error('connection refused')
}

/** @param change what is between the provider and the store */
export function versionedSubject(
  name: string,
  change: (store: VersionedStore, versions: MemoryVersions) => VersionedStore = (store) => store,
): ConformanceSubject {
  const versions = new MemoryVersions()
  const places = new Map<string, MemoryVersions>()
  const connect = (to: MemoryVersions) => versionedProvider(change(memoryStore(to), to))
  return {
    name,
    clock: 'store',
    connect: () => connect(versions),
    now: storeNow,
    look: async (lock) => storedRecord(versions.entries.get(lock)?.value),
    lose: async (lock) => void versions.entries.delete(lock),
    unreachable: () =>
      versionedProvider({
        ...memoryStore(versions),
        get: failing,
        put: failing,
        list: failing,
        remove: failing,
        now: failing,
      }),
    unprepared(place) {
      const known = places.get(place) ?? new MemoryVersions()
      places.set(place, known)
      return connect(known)
    },
    clientSurvivesClose: 'there is no client',
    poisons: jsonPoisons(
      async (lock) => versions.entries.get(lock)?.value,
      (lock, value) => versions.set(lock, value),
    ),
    lockRecord: 'a store that compares and sets locks no records',
    asShedLock: 'ShedLock keeps no such records',
    keepsNoHistory: 'a versioned store keeps no history',
  }
}
