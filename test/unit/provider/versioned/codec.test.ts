import { describe, expect, it } from 'vitest'
import { versionedProvider } from '../../../../src/provider/index.ts'
import { MemoryVersions, memoryStore, storeNow } from '../../../providers/versioned/memory-versions.ts'
import { acquire, release } from './requests.ts'

function providerOn(value: string) {
  const versions = new MemoryVersions()
  versions.set('job', value)
  return { provider: versionedProvider(memoryStore(versions)), versions }
}

describe('the JSON of a record', () => {
  it('is readable for people, and keeps the time of the last change', async () => {
    const versions = new MemoryVersions()
    const provider = versionedProvider(memoryStore(versions))
    const tick = Math.floor(storeNow())
    await acquire(provider, 'job', 'one', { tick, metadata: 'why' })
    await release(provider, 'job', 'one', { tick })
    const record = JSON.parse(versions.entries.get('job')?.value ?? '')
    expect(record).toEqual({
      lockedBy: 'a-node:1#one#released',
      lockedAt: expect.any(Number),
      lockUntil: record.changedAt,
      fencingToken: expect.any(Number),
      lastTick: tick,
      tickDone: true,
      metadata: 'why',
      paused: false,
      changedAt: expect.any(Number),
    })
  })

  it.each(['', 'null', '"a string"', '[]', '{"lockUntil":1', '17'])(
    'that is %j fails the requests for its name, and no old tick runs when it is repaired',
    async (value) => {
      const { provider } = providerOn(value)
      const tick = Math.floor(storeNow())
      expect(await acquire(provider, 'job', 'one')).toMatchObject({
        code: 'STORE',
        message: expect.stringContaining('ticklock reset job'),
      })
      expect(await provider.reset({ name: 'job', maxClockSkew: 60_000 })).toBe(true)
      expect(await acquire(provider, 'job', 'one', { tick })).toMatchObject({ granted: false, reason: 'tick-taken' })
      expect(await acquire(provider, 'job', 'one')).toMatchObject({ granted: true })
    },
  )
})
