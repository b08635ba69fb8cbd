/* What a batch does in a store that compares and sets, when others come first and when responses are lost. */
import { describe, expect, it } from 'vitest'
import { isRecordBusy } from '../../../../src/errors.ts'
import {
  type AcquireResult,
  type VersionedStore,
  type VersionedWrite,
  versionedProvider,
  type WriteResult,
} from '../../../../src/provider/index.ts'
import { randomFrom, withFaults } from '../../../providers/versioned/faults.ts'
import { MemoryVersions, memoryStore, storeNow } from '../../../providers/versioned/memory-versions.ts'
import { acquire, acquireOf, release, releaseOf } from './requests.ts'

type Put = (writes: readonly VersionedWrite[], put: VersionedStore['put']) => Promise<readonly WriteResult[]>

/** A provider whose first puts are done otherwise, one after another, and what it did. */
function storeWith(...puts: readonly Put[]) {
  const versions = new MemoryVersions()
  const right = memoryStore(versions)
  const calls = { gets: 0, writes: [] as (readonly VersionedWrite[])[] }
  const waiting = [...puts]
  const store: VersionedStore = {
    ...right,
    get: (names, call) => {
      calls.gets++
      return right.get(names, call)
    },
    put: (writes, call) => {
      calls.writes.push(writes)
      const put = waiting.shift()
      return put ? put(writes, right.put) : right.put(writes, call)
    },
  }
  return { provider: versionedProvider(store), other: versionedProvider(right), versions, store: right, calls }
}

const responseLost: Put = async (writes, put) => {
  await put(writes, { timeout: 1_000 })
  throw new Error('socket hang up')
}
const requestLost: Put = async () => {
  throw new Error('connection refused')
}
const conflict: Put = async (writes) => writes.map(() => 'conflict')

const isGrant = (result: unknown): boolean => (result as AcquireResult).granted === true

describe('a batch in a store that compares and sets', () => {
  it('is one read and one write, however often its names occur', async () => {
    const { provider, calls } = storeWith()
    const results = await provider.acquire([
      acquireOf('a', 'one'),
      acquireOf('b', 'one'),
      acquireOf('a', 'two'),
      acquireOf('a', 'one'),
    ])
    expect(results.map(isGrant)).toEqual([true, true, false, true])
    expect(calls.gets).toBe(1)
    expect(calls.writes.map((writes) => writes.map(({ name }) => name))).toEqual([['a', 'b']])
    expect(await provider.release([releaseOf('a', 'one'), releaseOf('a', 'one'), releaseOf('a', 'two')])).toEqual([
      true,
      true,
      false,
    ])
    expect(calls.writes[1]?.length).toBe(1)
  })

  it('writes nothing for what is refused', async () => {
    const { provider, other, calls } = storeWith()
    await acquire(other, 'a', 'one')
    expect(await acquire(provider, 'a', 'two')).toMatchObject({ granted: false, reason: 'held' })
    expect(calls).toEqual({ gets: 1, writes: [] })
  })

  it('writes a new name on condition that there is none, and a known one on its version', async () => {
    const { provider, calls, versions } = storeWith()
    await acquire(provider, 'a', 'one')
    const version = versions.entries.get('a')?.version
    await release(provider, 'a', 'one')
    expect(calls.writes.map(([write]) => write?.version)).toEqual([undefined, version])
  })

  it('is decided anew when another node came first', async () => {
    const rival: Put = async (writes, put) => {
      await acquire(other, 'a', 'rival')
      return put(writes, { timeout: 1_000 })
    }
    const { provider, other, calls } = storeWith(rival)
    const results = await provider.acquire([acquireOf('a', 'one'), acquireOf('b', 'one')])
    expect(results).toMatchObject([{ granted: false, reason: 'held' }, { granted: true }])
    expect(calls.gets).toBe(2)
  })

  it('is granted though the response to its write was lost, with what was written', async () => {
    const tick = Math.floor(storeNow()) - 1_000
    const { provider, versions, calls } = storeWith(responseLost)
    const result = await acquire(provider, 'a', 'one', { tick })
    expect(isGrant(result)).toBe(true)
    expect(JSON.parse(versions.entries.get('a')?.value ?? '').fencingToken).toBe(
      (result as { lease: { fencingToken: number } }).lease.fencingToken,
    )
    expect(calls.writes.length).toBe(1)
  })

  it('knows a rerun as one though the response was lost', async () => {
    const tick = Math.floor(storeNow()) - 1_000
    const { provider, other } = storeWith(responseLost)
    await acquire(other, 'a', 'one', { tick, lockAtMostFor: 1 })
    for (const until = storeNow() + 2; storeNow() < until; );
    expect(await acquire(provider, 'a', 'two', { tick, onCrash: 'rerun' })).toMatchObject({
      granted: true,
      rerun: true,
    })
  })

  it('recognises its own owner when the response was lost and others have written since', async () => {
    const extendedSince: Put = async (writes, put) => {
      await put(writes, { timeout: 1_000 })
      await other.extend([{ name: 'a', owner: 'one', label: 'a-node:1', lockAtMostFor: 90_000, lockAtLeastFor: 0 }])
      throw new Error('socket hang up')
    }
    const { provider, other } = storeWith(extendedSince)
    expect(await acquire(provider, 'a', 'one')).toMatchObject({ granted: true, lease: { owner: 'one' } })
  })

  it('is released once, also when the response was lost and the lock has a new holder', async () => {
    const { provider, other } = storeWith(async (writes, put) => put(writes, { timeout: 1_000 }), responseLost)
    await acquire(provider, 'a', 'one')
    expect(await release(provider, 'a', 'one')).toBe(true)
    expect(isGrant(await acquire(other, 'a', 'two'))).toBe(true)
    expect(await release(provider, 'a', 'one')).toBe(false)
  })

  it('is written again when the request was lost', async () => {
    const { provider, calls } = storeWith(requestLost)
    expect(isGrant(await acquire(provider, 'a', 'one'))).toBe(true)
    expect(calls.writes.length).toBe(2)
  })

  it('fails with what the store said, and never with a refusal, when all its writes are lost', async () => {
    const { provider } = storeWith(...Array.from({ length: 100 }, () => requestLost))
    expect(await acquire(provider, 'a', 'one')).toMatchObject({ message: 'connection refused' })
  })

  it('ends when other nodes change a record again and again, and the other names are decided', async () => {
    const contended: Put = async (writes, put) => {
      await put(
        writes.filter(({ name }) => name !== 'a'),
        { timeout: 1_000 },
      )
      return writes.map(({ name }) => (name === 'a' ? 'conflict' : 'written'))
    }
    const { provider, calls } = storeWith(contended, ...Array.from({ length: 1_000 }, () => conflict))
    const [a, b] = await provider.acquire([acquireOf('a', 'one'), acquireOf('b', 'one')])
    expect(isRecordBusy(a)).toBe(true)
    expect(isGrant(b)).toBe(true)
    expect(calls.writes.length).toBeLessThanOrEqual(12)
  })

  it('begins no attempt after its timeout', async () => {
    const slow: Put = async (writes) => {
      for (const until = performance.now() + 30; performance.now() < until; );
      return writes.map(() => 'conflict')
    }
    const { provider, calls } = storeWith(...Array.from({ length: 1_000 }, () => slow))
    expect(isRecordBusy((await provider.acquire([acquireOf('a', 'one')], { timeout: 25 }))[0])).toBe(true)
    expect(calls.writes.length).toBe(1)
  })

  it('rejects when the store can not be read, and keeps what was decided when it fails later', async () => {
    const { versions, store } = storeWith()
    let gets = 0
    const failsAt = (failing: number) =>
      versionedProvider({
        ...store,
        get: async (names, call) => {
          if (++gets >= failing) throw new Error('connection refused')
          return store.get(names, call)
        },
        put: async (writes, call) => {
          const [first, ...others] = await store.put(writes, call)
          return [first as WriteResult, ...others.map((): WriteResult => 'conflict')]
        },
      })
    await expect(acquire(failsAt(1), 'a', 'one')).rejects.toThrow('connection refused')
    expect(versions.entries.size).toBe(0)
    gets = 0
    const [a, b] = await failsAt(2).acquire([acquireOf('a', 'one'), acquireOf('b', 'one')])
    expect(isGrant(a)).toBe(true)
    expect(b).toMatchObject({ message: 'connection refused' })
  })

  it('reruns no tick whose release succeeded, though leases end early and writes arrive late', async () => {
    const versions = new MemoryVersions()
    const random = randomFrom(11)
    const rates = { lateWrite: 0.2, staleRead: 0.2, conflict: 0.1, lostResponse: 0.1, lostRequest: 0.1 }
    const turns = async (most: number): Promise<void> => {
      for (let left = random() * most; left > 0; left--) await new Promise(setImmediate)
    }
    let tick = Math.floor(storeNow()) - 1_000_000
    let done = 0
    const seen = { released: 0, reruns: 0 }
    const work = async (node: number): Promise<void> => {
      const provider = versionedProvider(withFaults(memoryStore(versions), versions, rates, random))
      for (let round = 0; seen.released < 60 || seen.reruns < 10; round++) {
        const [mine, owner, doneBefore] = [tick, `${node}-${round}`, done]
        const options = { tick: mine, onCrash: 'rerun', lockAtMostFor: Math.ceil(random() * 4) } as const
        const result = await acquire(provider, 'job', owner, options)
        if (isGrant(result)) {
          expect(mine).toBeGreaterThan(doneBefore)
          if ((result as { rerun?: boolean }).rerun) seen.reruns++
          await turns(100)
          if ((await release(provider, 'job', owner, { tick: mine })) === true) {
            done = Math.max(done, mine)
            seen.released++
          }
        }
        // The next tick, also when a release that was late has ended this one.
        if ((result as { reason?: string }).reason === 'tick-taken') tick = Math.max(tick, mine + 1)
        await turns(5)
      }
    }
    await Promise.all([0, 1, 2, 3, 4].map(work))
  })

  it('grants each tick once, with growing tokens, whatever reads are stale and responses lost', async () => {
    const versions = new MemoryVersions()
    const random = randomFrom(5)
    const rates = { staleRead: 0.4, conflict: 0.1, lostResponse: 0.1, lostRequest: 0.1 }
    const nodes = Array.from({ length: 5 }, () =>
      versionedProvider(withFaults(memoryStore(versions), versions, rates, random)),
    )
    const first = Math.floor(storeNow()) - 100_000
    let token = 0
    for (let round = 0; round < 60; round++) {
      const tick = first + round * 1_000
      const results = await Promise.all(nodes.map((node, index) => acquire(node, 'job', `${round}-${index}`, { tick })))
      const grants = results.filter(isGrant) as { lease: { fencingToken: number; owner: string } }[]
      expect(new Set(grants.map(({ lease }) => lease.owner)).size).toBeLessThanOrEqual(1)
      const [grant] = grants
      if (!grant) continue
      expect(grant.lease.fencingToken).toBeGreaterThan(token)
      token = grant.lease.fencingToken
      await release(versionedProvider(memoryStore(versions)), 'job', grant.lease.owner, { tick })
    }
    expect(token).toBeGreaterThan(0)
  })
})
