/* The models keep the contract as the real providers do. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { isUnreadable } from '../../../src/provider/record.ts'
import { conformance } from '../../../src/testing/index.ts'
import { simulatedStore, storeKinds } from './index.ts'

describe.each(storeKinds)('the model of %s', (kind) => {
  // Whole milliseconds would all be one to a model that answers at once.
  const now = (): number => performance.timeOrigin + performance.now()
  const store = simulatedStore(kind, { now, random: () => 0, between: async () => {} })
  conformance(
    { describe, it, beforeAll, afterAll },
    {
      name: kind,
      clock: 'machine',
      connect: () => store.provider,
      now,
      async look(name) {
        const [record] = await store.provider.read([name])
        if (!record) return undefined
        if (isUnreadable(record)) throw record.unreadable
        const { name: _, storeTime: __, ...stored } = record
        return stored
      },
      lose: async (name) => store.lose(name),
      unreachable: 'a model can always be reached',
      unprepared: 'there is nothing to set up',
      clientSurvivesClose: 'there is no client',
      poisons: 'the models keep no record that can not be read',
      lockRecord: 'the models have no transactions of strangers',
      asShedLock: 'no JVM gets at a model',
      cannotPause: 'the models have no pause',
      keepsNoHistory: 'the models keep no history',
    },
  )
})
