/* A versioned store in memory, for the tests of what is built on one. */
import type {
  VersionedEntry,
  VersionedName,
  VersionedStore,
  VersionedWrite,
  WriteResult,
} from '../../../src/provider/index.ts'

/** The store's own clock, of microseconds. It has nothing to do with `Date`, so a provider that reads `Date` is found out. */
const start = Date.now() + 12_345_678
export const storeNow = (): number => Math.round((start + performance.now()) * 1_000) / 1_000

/** What is stored, shared by all connections. */
export class MemoryVersions {
  readonly entries = new Map<string, VersionedEntry>()
  #version = 0

  /** Writes whatever the version is. */
  set(name: string, value: string): void {
    this.entries.set(name, { name, value, version: String(++this.#version) })
  }

  get(names: readonly string[]): VersionedEntry[] {
    return names.flatMap((name) => this.entries.get(name) ?? [])
  }

  putOne = ({ name, value, version }: VersionedWrite): WriteResult => {
    if (this.entries.get(name)?.version !== version) return 'conflict'
    this.set(name, value)
    return 'written'
  }

  remove(names: readonly VersionedName[]): number {
    const same = names.filter(({ name, version }) => this.entries.get(name)?.version === version)
    for (const { name } of same) this.entries.delete(name)
    return same.length
  }
}

/** Lets others come in between, as a round trip does. */
const roundTrip = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** A connection to what is stored. */
export function memoryStore(versions: MemoryVersions): VersionedStore {
  return {
    async get(names) {
      await roundTrip()
      return versions.get(names)
    },
    async put(writes) {
      await roundTrip()
      return writes.map(versions.putOne)
    },
    list: async () => [...versions.entries.values()],
    remove: async (names) => versions.remove(names),
    now: () => ({ earliest: storeNow(), latest: storeNow() }),
    close: async () => {},
  }
}
