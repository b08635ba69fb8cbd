import { afterAll, beforeAll, describe, it } from 'vitest'
import { type MemoryProvider, memory } from '../../providers/memory/index.ts'
import { conformance } from '../../src/testing/index.ts'

// Memory has one client: its nodes share the provider, as schedulers of one process do.
let provider: MemoryProvider
let locks: Map<string, unknown>

conformance(
  { describe, it, beforeAll, afterAll },
  {
    name: 'memory',
    clock: 'machine',
    async before() {
      provider = memory()
      locks = provider.locks as Map<string, unknown>
    },
    connect: () => provider,
    now: () => Date.now(),
    look: async (name) => provider.locks.get(name),
    lose: async (name) => void locks.delete(name),
    unreachable: 'the memory of this process can always be reached',
    unprepared: 'there is nothing to set up',
    clientSurvivesClose: 'there is no client',
    asShedLock: 'ShedLock keeps no locks in the memory of another process',
  },
)
