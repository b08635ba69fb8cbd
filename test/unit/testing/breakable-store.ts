/* A store in memory that has everything the conformance suite can ask for, and whose provider a test can break. */

import { memory } from '../../../providers/memory/index.ts'
import type { LockProvider } from '../../../src/provider/contract.ts'
import type { StoredLock } from '../../../src/provider/decide.ts'
import type { ConformanceSubject } from '../../../src/testing/index.ts'
import { memoryPoisons } from '../../providers/memory-poisons.ts'

/** What a broken provider is made from. */
export interface Parts {
  /** A provider that does everything right, on these locks. */
  readonly right: LockProvider
  readonly locks: Map<string, StoredLock>
  readonly now: () => number
}

/** The verbs that are done wrong; the others stay right. */
export type Break = (parts: Parts) => Partial<LockProvider>

/** The store's own clock, of microseconds: it has nothing to do with `Date`, so what looks at `Date` is found out. */
const start = Date.now() + 12_345_678
const now = (): number => Math.round((start + performance.now()) * 1_000) / 1_000

const nothingBroken: Break = () => ({})

function place(broken: Break): Parts & { readonly provider: LockProvider } {
  const right = memory({ now })
  // Reaching for the locks is what a look into the store is; no provider in use gives them away for writing.
  const locks = right.locks as Map<string, StoredLock>
  const parts = { right, locks, now }
  return { ...parts, provider: { ...right, ...broken(parts) } }
}

const connection = (provider: LockProvider): LockProvider => ({ ...provider })

const refusing = async (): Promise<never> => {
  throw new Error('connection refused')
}

const unreachable: LockProvider = {
  acquire: refusing,
  extend: refusing,
  release: refusing,
  read: refusing,
  forceRelease: refusing,
  reset: refusing,
  prune: refusing,
  close: async () => {},
}

/** @param hooks what the subject itself does otherwise, where a defect is not in a verb */
export function breakableStore(
  name: string,
  broken: Break = nothingBroken,
  hooks: Partial<ConformanceSubject> = {},
): ConformanceSubject {
  const main = place(broken)
  const places = new Map<string, LockProvider>()
  return {
    name,
    clock: 'store',
    connect: () => connection(main.provider),
    now,
    look: async (lock) => main.locks.get(lock),
    lose: async (lock) => void main.locks.delete(lock),
    unreachable: () => connection(unreachable),
    unprepared(where) {
      const known = places.get(where) ?? place(broken).provider
      places.set(where, known)
      return connection(known)
    },
    poisons: memoryPoisons(main.locks),
    lockRecord: 'a record in memory can not be locked',
    clientSurvivesClose: async () => true,
    async asShedLock(lock, lockedForMs) {
      const record = main.locks.get(lock)
      const lockedAt = now()
      if (record && record.lockUntil > lockedAt) return false
      const ours = record ?? { name: lock, fencingToken: 0, tickDone: false }
      main.locks.set(lock, { ...ours, lockedBy: 'jvm-host', lockedAt, lockUntil: lockedAt + lockedForMs })
      return true
    },
    ...hooks,
  }
}
