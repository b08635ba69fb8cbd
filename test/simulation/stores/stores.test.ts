/* What tells the models apart: what others may do in the midst of a call, and what a crash or a failover leaves. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  acquireAll,
  granted,
  newHolder,
  refused,
  release,
  toAcquire,
  toRelease,
} from '../../../src/testing/requests.ts'
import {
  FURTHEST_BEHIND,
  type SimulatedStore,
  type StoreKind,
  type StoreWorld,
  simulatedStore,
  storeKinds,
} from './index.ts'

const START = Date.UTC(2024, 5, 1)

/** A store in a world whose time the test moves. */
function newStore(
  kind: StoreKind,
  more: Partial<StoreWorld> = {},
): { readonly store: SimulatedStore; readonly time: { now: number } } {
  const time = { now: START }
  return { store: simulatedStore(kind, { now: () => time.now, random: () => 0.75, ...more }), time }
}

describe.each(storeKinds)('the model of %s', (kind) => {
  it('grants each lock to one of several nodes, whoever comes in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 3 }), async (scheduler, size) => {
        const between = (): Promise<void> => scheduler.schedule(Promise.resolve())
        const { store, time } = newStore(kind, { between, masters: 2 })
        const names = ['a', 'b', 'c'].slice(0, size)
        const asks = [1, 2, 3].map(() =>
          acquireAll(
            store.provider,
            names.map((name) => toAcquire(newHolder(name))),
          ),
        )
        const leases = (await scheduler.waitFor(Promise.all(asks)))
          .flat()
          .flatMap((result) => (result.granted ? [result.lease] : []))
        expect(leases.map(({ name }) => name).sort()).toEqual(names)

        // All give back at once what one of them has, and ask again.
        time.now += 5
        const again = [1, 2, 3].map(async () => {
          await store.provider.release(leases.map((lease) => toRelease({ ...lease, label: 'one-host:1' })))
          return acquireAll(
            store.provider,
            names.map((name) => toAcquire(newHolder(name))),
          )
        })
        const later = (await scheduler.waitFor(Promise.all(again)))
          .flat()
          .flatMap((result) => (result.granted ? [result.lease] : []))
        expect(later.map(({ name }) => name).sort()).toEqual(names)
        for (const { name, fencingToken } of leases) {
          expect(later.find((lease) => lease.name === name)?.fencingToken).toBeGreaterThan(fencingToken)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('fails a call that is under way when the server crashes, if the call takes several steps', async () => {
    let crash = (): void => {}
    const { store } = newStore(kind, { between: async () => crash(), masters: 2 })
    crash = () => store.restart()
    const names = Array.from({ length: 20 }, (_, index) => `job-${index}`)
    const call = store.provider.acquire(names.map((name) => toAcquire(newHolder(name))))
    // Memory decides in one step, and Redis' scripts go to one master each, of which one crashed.
    if (kind === 'memory') await call
    else await expect(call).rejects.toThrow('the server went away')
  })

  it('keeps over a restart what the store documents', async () => {
    const { store, time } = newStore(kind)
    await granted(store.provider, newHolder('old'))
    time.now += 800
    await granted(store.provider, newHolder('new'))
    time.now += 100
    store.restart()
    // Redis with everysec loses up to a second: with this random number, 750 ms of it.
    const kept = { memory: [], redis: ['old'] }[kind as string] ?? ['new', 'old']
    expect((await store.provider.read()).map(({ name }) => name)).toEqual(kept)
  })

  it('has a clock as fine as the store documents, and no finer', async () => {
    const { store, time } = newStore(kind)
    time.now = START + 7.123_2
    const { storeTime, acquiredAt, lockUntil } = await granted(store.provider, newHolder('a'), { lockAtMostFor: 10 })
    const now = ['postgres', 'mysql', 'redis'].includes(kind) ? START + 7.123 : START + 7
    expect([storeTime, acquiredAt, lockUntil]).toEqual([now, now, now + 10])
  })

  it('loses the record that somebody deletes', async () => {
    const { store } = newStore(kind)
    const lost = await granted(store.provider, newHolder('a'))
    store.lose('a')
    expect(await store.provider.read(['a'])).toEqual([])
    const { fencingToken } = await granted(store.provider, newHolder('a'))
    expect(fencingToken).toBeGreaterThanOrEqual(lost.fencingToken)
  })
})

describe('a failover', () => {
  it.each(['postgres', 'mysql', 'redis'] as const)('of %s forgets what the replica had not got', async (kind) => {
    const { store, time } = newStore(kind)
    const first = newHolder('a')
    await granted(store.provider, first, { tick: START })
    await granted(store.provider, newHolder('b'))
    time.now += 1_000
    expect(await release(store.provider, first, { tick: START })).toBe(true)
    await granted(store.provider, newHolder('a'), { tick: START + 1_000 })
    await granted(store.provider, newHolder('c'))
    time.now += 10
    store.failover?.(500)

    const after = await store.provider.read()
    expect(after.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(after[0]).toMatchObject({ lastTick: START, tickDone: false, lockedBy: `one-host:1#${first.owner}` })
    await refused(store.provider, newHolder('a'), 'held')
    await granted(store.provider, newHolder('c'))
  })

  it('of MongoDB forgets nothing that a majority has', async () => {
    const { store, time } = newStore('mongodb')
    await granted(store.provider, newHolder('a'))
    time.now += 1
    store.failover?.(500)
    await refused(store.provider, newHolder('a'), 'held')
  })

  it('of a cluster of Redis is one master of it', async () => {
    const { store, time } = newStore('redis', { masters: 3, random: () => 0 })
    const names = Array.from({ length: 30 }, (_, index) => `job-${index}`)
    await store.provider.acquire(names.map((name) => toAcquire(newHolder(name))))
    time.now += 10
    store.failover?.(500)
    const left = (await store.provider.read()).length
    expect(left).toBeGreaterThan(10)
    expect(left).toBeLessThan(30)
  })

  it.each(['postgres', 'mysql', 'mongodb', 'redis'] as const)('of %s brings a clock of its own', async (kind) => {
    const { store } = newStore(kind, { clocksApart: 100 })
    store.failover?.(0)
    const lease = await granted(store.provider, newHolder('a'))
    expect(lease.storeTime - START).toBe(50)
  })

  it('is there only where there are replicas', () => {
    const withReplicas = storeKinds.filter((kind) => newStore(kind).store.failover)
    expect(withReplicas).toEqual(['postgres', 'mysql', 'mongodb', 'redis'])
  })

  it('is never further behind than the model remembers', () => {
    expect(() => newStore('postgres').store.failover?.(FURTHEST_BEHIND + 1)).toThrow(RangeError)
  })
})

describe('Redis', () => {
  it('with appendfsync always loses nothing in a crash, and without persistence all', async () => {
    for (const [persistence, left] of [
      ['always', 1],
      ['none', 0],
    ] as const) {
      const { store } = newStore('redis', { persistence })
      await granted(store.provider, newHolder('a'))
      store.restart()
      expect(await store.provider.read()).toHaveLength(left)
    }
  })
})
