import { describe, expect, it } from 'vitest'
import { isStoreError } from '../../../../src/errors.ts'
import { backoffAfter } from '../../../../src/scheduler/tick/acquire-ticks.ts'
import { Cluster, MIDNIGHT, SECOND, Work } from '../cluster.ts'

describe('a store that is down at a tick', () => {
  it('and back within the grace costs nothing but time: the tick runs once', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1m' })
    await cluster.start()
    node.store.set('down')
    await cluster.until(20)
    node.store.set('up')
    await cluster.until(59)
    expect(cluster.ran).toMatchObject([{ tick: 0, kind: 'schedule' }])
    expect(cluster.ran[0]?.at).toBeGreaterThanOrEqual(20)
    expect(cluster.ran[0]?.at).toBeLessThan(22)
    expect(node.events('missed')).toEqual([])
    expect(node.events('store-error').length).toBeGreaterThan(5)
  })

  it('is asked by the same owner each time, with pauses that grow', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1m' })
    await cluster.start()
    node.store.set('down')
    await cluster.until(29)
    const asks = node.store.callsOf('acquire')
    expect(new Set(asks.flatMap(({ batch }) => batch.map(({ owner }) => owner))).size).toBe(1)
    const pauses = asks.slice(1).map(({ at }, index) => at - (asks[index]?.at ?? 0))
    expect(pauses.slice(0, 6)).toEqual([37.5, 75, 150, 300, 600, 1200])
    expect(Math.max(...pauses)).toBe(1500)
  })

  it.each(['down', 'hang'] as const)(
    'is asked for many ticks together each time, also when it is %s',
    async (fault) => {
      const cluster = new Cluster()
      let draws = 0
      const node = cluster.node({ random: () => (++draws % 10) / 10, storeTimeout: '1s', spread: false })
      for (let index = 0; index < 500; index++) cluster.job({ name: `job ${index}`, every: '1m' })
      await cluster.start()
      node.store.set(fault)
      await cluster.until(20)
      node.store.set('up')
      await cluster.until(25)
      const asks = node.store.callsOf('acquire')
      expect(new Set(asks.map(({ batch }) => batch.length))).toEqual(new Set([500]))
      expect(asks.length).toBeGreaterThan(7)
      expect(asks.length).toBeLessThan(25)
      expect(cluster.ticks).toEqual(new Array(500).fill(0))
    },
  )

  it('whose graces differ is asked until each of them ends', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ name: 'short', every: '1m', graceFor: '3s' })
    cluster.job({ name: 'long', every: '1m', graceFor: '30s' })
    await cluster.start()
    node.store.set('down')
    await cluster.until(2.9)
    expect(node.events('missed')).toEqual([])
    await cluster.until(3)
    expect(node.events('missed')).toMatchObject([{ job: 'short' }])
    node.store.set('up')
    await cluster.until(6)
    expect(cluster.ran).toMatchObject([{ job: 'long', tick: 0 }])
  })

  it('until the grace ends makes it missed, with an event and no error thrown', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1m', graceFor: '10s' })
    await cluster.start()
    node.store.set('down')
    await cluster.until(9.9)
    expect(node.events('missed')).toEqual([])
    await cluster.until(10)
    const [missed] = node.events('missed')
    expect(missed).toMatchObject({
      job: 'job',
      reason: 'store-error',
      scheduledAt: new Date(MIDNIGHT),
      until: undefined,
    })
    expect(isStoreError(missed?.error)).toBe(true)
    expect(missed?.error).toMatchObject({ cause: new Error('connect ECONNREFUSED') })
    node.store.set('up')
    await cluster.until(60)
    expect(cluster.ticks).toEqual([60])
  })

  it('makes it missed at the next tick at the latest', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '2s', graceFor: '1h' })
    await cluster.start()
    node.store.set('down')
    await cluster.until(3.9)
    expect(node.ticksOf('missed')).toEqual([0])
    node.store.set('up')
    await cluster.until(7)
    expect(node.ticksOf('missed')).toEqual([0, 2])
    expect(cluster.ticks).toEqual([4, 6])
  })

  it('lets a job run without its lock that would rather run twice, at the end of the grace', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const locks: unknown[] = []
    cluster.job({ every: '1m', graceFor: '10s', onStoreError: 'run' }, ({ lock, fencingToken }) => {
      locks.push(lock, fencingToken)
    })
    await cluster.start()
    node.store.set('down')
    await cluster.until(20)
    expect(cluster.ran).toMatchObject([{ tick: 0, at: 10, token: undefined }])
    expect(locks).toEqual([undefined, undefined])
    expect(node.events('missed', 'acquired', 'released')).toEqual([])
  })

  it('and back when such a run goes on: the next tick is given back, not marked as done, and skipped', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const work = new Work()
    cluster.job({ every: '10s', graceFor: '1h', onStoreError: 'run' }, work.run)
    await cluster.start()
    node.store.set('down')
    await cluster.until(9.99)
    node.store.set(100, 'acquire')
    node.store.set('up', 'release')
    await cluster.until(11)
    expect(cluster.ran).toMatchObject([{ tick: 0, at: 10, token: undefined }])
    expect(node.events('skipped')).toMatchObject([{ reason: 'running', scheduledAt: new Date(MIDNIGHT + 10 * SECOND) }])
    const record = cluster.store.locks.get('job')
    expect(record).toMatchObject({ lastTick: MIDNIGHT + 10 * SECOND, tickDone: false })
    expect(record?.lockUntil).toBeLessThanOrEqual(cluster.time.now())
    work.end()
  })

  it('at start does not hinder the start, nor the recovery', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '10s' })
    node.store.set('down')
    let started = false
    void node.scheduler.start().then(() => {
      started = true
    })
    await cluster.time.settle()
    expect(started).toBe(true)
    await cluster.until(5)
    node.store.set('up')
    await cluster.until(21)
    expect(cluster.ticks).toEqual([0, 10, 20])
  })
})

describe('a store that never answers', () => {
  it('costs a retry after storeTimeout, and the tick runs when it answers again', async () => {
    const cluster = new Cluster()
    const node = cluster.node({ storeTimeout: '2s' })
    cluster.job({ every: '1m' })
    await cluster.start()
    node.store.set('hang')
    await cluster.until(1)
    node.store.set('up')
    await cluster.until(1.9)
    expect(cluster.ticks).toEqual([])
    await cluster.until(2.1)
    expect(cluster.ran).toMatchObject([{ tick: 0 }])
    expect(String(node.events('store-error')[0]?.error)).toContain('the store did not respond within 2000 ms')
  })

  it('at start holds it up for storeTimeout, and no tick of that time is lost', async () => {
    const cluster = new Cluster()
    const node = cluster.node({ storeTimeout: '5s' })
    cluster.job({ every: '1m' })
    node.store.set('hang')
    await cluster.start()
    await cluster.until(4)
    node.store.set('up')
    await cluster.until(5)
    expect(cluster.ran).toMatchObject([{ tick: 0, at: 4.5 }])
  })

  it('with a storeTimeout longer than any timer is waited for as long', async () => {
    const cluster = new Cluster()
    const node = cluster.node({ storeTimeout: '2m' })
    cluster.job({ every: '10m', graceFor: '5m', lockAtMostFor: '10m' })
    await cluster.start()
    node.store.set(100 * SECOND, 'acquire')
    await cluster.until(101)
    expect(cluster.ran).toMatchObject([{ tick: 0, at: 100 }])
    expect(node.clock.longestTimer).toBeLessThanOrEqual(30_000)
  })
})

describe('a reply', () => {
  it('that is lost is asked for again by the same owner, and the tick runs once', async () => {
    const cluster = new Cluster()
    const node = cluster.node({ storeTimeout: '1s' })
    cluster.job({ every: '1m' })
    await cluster.start()
    node.store.set('lose', 'acquire')
    await cluster.until(0.5)
    const granted = cluster.store.locks.get('job')
    node.store.set('up')
    await cluster.until(59)
    expect(cluster.ran).toMatchObject([{ tick: 0, token: granted?.fencingToken }])
    expect(cluster.store.locks.get('job')?.tickDone).toBe(true)
  })

  it('that comes while it is asked for again is as good, and the tick runs once', async () => {
    const cluster = new Cluster()
    const node = cluster.node({ storeTimeout: '1s' })
    cluster.job({ every: '1m' })
    await cluster.start()
    node.store.set(1_500, 'acquire')
    await cluster.until(30)
    expect(cluster.ran).toMatchObject([{ tick: 0, at: 1.5 }])
  })

  it.each(['skip', 'run'] as const)(
    'that comes in the last pause of the grace is used, with onStoreError %j',
    async (onStoreError) => {
      const cluster = new Cluster()
      const node = cluster.node({ storeTimeout: 100 })
      cluster.job({ every: '1s', onStoreError })
      await cluster.start()
      node.store.set(980, 'acquire')
      await cluster.until(0.05)
      node.store.set('down', 'acquire')
      await cluster.until(0.99)
      node.store.set('up')
      await cluster.until(1.5)
      const granted = expect.any(Number)
      expect(cluster.ran[0]).toMatchObject({ tick: 0, token: granted })
      expect(node.events('missed')).toEqual([])
    },
  )

  it('that refuses, and comes in the last pause of the grace, ends the tick: it does not run without its lock', async () => {
    const cluster = new Cluster()
    const [node, other] = [cluster.node({ storeTimeout: 100 }), cluster.node()]
    const work = new Work()
    cluster.job({ every: '1s', onStoreError: 'run' }, work.run)
    await cluster.start(other)
    await cluster.until(-0.1)
    await cluster.start(node)
    node.store.set(980, 'acquire')
    await cluster.until(0.05)
    node.store.set('down', 'acquire')
    await cluster.until(1)
    expect(cluster.ran).toMatchObject([{ node: 'node2', tick: 0 }])
    expect(node.events('skipped')).toMatchObject([{ scheduledAt: new Date(MIDNIGHT), reason: 'tick-taken' }])
    work.end()
  })

  it('that comes after the grace is given back: the lock is free, the tick not marked as done', async () => {
    const cluster = new Cluster()
    const node = cluster.node({ storeTimeout: '5s' })
    cluster.job({ every: '1m', graceFor: '1s' })
    await cluster.start()
    node.store.set({ delivered: 1_500 }, 'acquire')
    await cluster.until(3)
    expect(node.ticksOf('missed')).toEqual([0])
    expect(cluster.ran).toEqual([])
    const record = cluster.store.locks.get('job')
    expect(record).toMatchObject({ lastTick: MIDNIGHT, tickDone: false })
    expect(record?.lockUntil).toBeLessThanOrEqual(cluster.time.now())
    node.store.set('up')
    await cluster.until(60)
    expect(cluster.ticks).toEqual([60])
  })
})

describe('a store that is down at the release', () => {
  it('is told, and asked again in the background; the next ticks are fine', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '10s', lockAtMostFor: '1h' })
    await cluster.start()
    node.store.set('down', 'release')
    await cluster.until(2)
    expect(node.events('store-error')[0]).toMatchObject({ action: 'release', job: 'job' })
    expect(node.events('succeeded')).toHaveLength(1)
    node.store.set('up')
    await cluster.until(9)
    expect(node.events('released')).toHaveLength(1)
    expect(cluster.store.locks.get('job')?.tickDone).toBe(true)
    await cluster.until(30)
    expect(cluster.ticks).toEqual([0, 10, 20, 30])
  })

  it('for longer than the lease loses nothing: the work had ended', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    let aborted: boolean | undefined
    cluster.job({ every: '1m', lockAtMostFor: '5s' }, ({ signal }) => {
      signal.addEventListener('abort', () => {
        aborted = true
      })
    })
    await cluster.start()
    node.store.set('down', 'release')
    await cluster.until(30)
    expect(node.events('lost')).toEqual([])
    expect(aborted).toBeUndefined()
    await cluster.until(61)
    expect(cluster.ticks).toEqual([0, 60])
  })
})

describe('the pause before the next ask', () => {
  it('doubles up to two seconds, at least half of it always', () => {
    expect([1, 2, 3, 6, 7, 50].map((failures) => backoffAfter(failures, 1))).toEqual([50, 100, 200, 1600, 2000, 2000])
    expect(backoffAfter(7, 0)).toBe(1000)
  })
})
