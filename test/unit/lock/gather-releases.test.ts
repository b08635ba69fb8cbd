import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { memory } from '../../../providers/memory/index.ts'
import { systemClock } from '../../../src/clock.ts'
import { ProviderClient } from '../../../src/lock/provider-client.ts'

describe('the releases of works that end by timers one after another', () => {
  /** How many locks each call of the provider was about. */
  async function calls(gatherReleases: boolean): Promise<number[]> {
    const sizes: number[] = []
    const provider = memory()
    const release: typeof provider.release = (batch) => {
      sizes.push(batch.length)
      return provider.release(batch)
    }
    const clock = systemClock
    const store = new ProviderClient({ provider: { ...provider, release }, clock, timeout: 1_000, gatherReleases })
    const work = async (name: string): Promise<boolean> => {
      const holder = { name, owner: randomUUID(), label: 'here' }
      await store.acquire({ ...holder, lockAtMostFor: 10_000, maxClockSkew: 0 })
      await sleep(20)
      return await store.release({ ...holder, lockAtLeastFor: 0 })
    }
    expect(await Promise.all(['a', 'b', 'c'].map(work))).toEqual([true, true, true])
    return sizes
  }

  it('are one call where they are gathered', async () => {
    expect(await calls(true)).toEqual([3])
  })

  it('go out at once otherwise', async () => {
    expect(await calls(false)).toEqual([1, 1, 1])
  })
})
