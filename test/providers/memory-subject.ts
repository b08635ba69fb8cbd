/* How the tests meet memory. It has one client: its nodes share the provider, as schedulers of one process do. */
import { memory } from '../../providers/memory/index.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import type { ConformanceSubject } from '../../src/testing/index.ts'
import { memoryPoisons } from './memory-poisons.ts'

export function memorySubject(): ConformanceSubject {
  const provider = memory()
  const locks = provider.locks as Map<string, StoredLock>
  return {
    name: 'memory',
    clock: 'machine',
    connect: () => provider,
    now: () => Date.now(),
    look: async (name) => locks.get(name),
    lose: async (name) => void locks.delete(name),
    unreachable: 'the memory of this process can always be reached',
    unprepared: 'there is nothing to set up',
    clientSurvivesClose: 'there is no client',
    poisons: memoryPoisons(locks),
    lockRecord: 'a record in memory can not be locked',
    asShedLock: 'ShedLock keeps no locks in the memory of another process',
  }
}
