import { describe, expect, it } from 'vitest'
import { Cluster, MIDNIGHT, MINUTE, SECOND } from '../cluster.ts'

describe('a node whose clock is wrong', () => {
  it.each([5 * MINUTE, -5 * MINUTE])(
    'by %d ms fires on time once the store has answered, and says so once',
    async (wallAhead) => {
      const cluster = new Cluster()
      const node = cluster.node({ wallAhead })
      cluster.job({ every: '10s' })
      await cluster.start()
      await cluster.until(30)
      expect(cluster.ran.map(({ tick, at }) => [tick, at])).toEqual([
        [0, 0],
        [10, 10],
        [20, 20],
        [30, 30],
      ])
      expect(node.events('clock-skew')).toMatchObject([{ skew: wallAhead }])
      expect(node.scheduler.clockSkew).toBe(wallAhead)
      expect(node.scheduler.nextTicks('job')[0]).toEqual(new Date(Date.UTC(2024, 0, 1, 0, 0, 40)))
    },
  )

  it('far ahead, and that has had no answer yet, is refused and runs nothing; then it is on time', async () => {
    const cluster = new Cluster()
    const node = cluster.node({ wallAhead: 5 * MINUTE + 200 })
    node.store.set('down')
    cluster.job({ every: '10s' })
    await cluster.start()
    node.store.set('up')
    await cluster.until(21)
    expect(node.events('skipped')[0]).toMatchObject({ reason: 'clock-ahead' })
    expect(cluster.ran.map(({ tick, at }) => [tick, at])).toEqual([
      [0, 0],
      [10, 10],
      [20, 20],
    ])
  })

  it('by 40 s behind, and that has had no answer yet, runs no tick that another node has run', async () => {
    const cluster = new Cluster()
    const [slow, right] = [cluster.node({ wallAhead: -40 * SECOND }), cluster.node()]
    cluster.job({ every: '10s' })
    await cluster.start(right)
    await cluster.until(55)
    slow.store.set('down')
    await cluster.start(slow)
    slow.store.set('up')
    await cluster.until(90)
    expect(slow.ticksOf('skipped')[0]).toBe(20)
    expect(cluster.ticks).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90])
  })

  it('by 24 s ahead, and whose first answers are lost, takes no tick that lies ahead', async () => {
    const cluster = new Cluster()
    const [early] = [cluster.node({ wallAhead: 24 * SECOND }), cluster.node()]
    early.store.set('lose')
    cluster.job({ every: '1s', lockAtMostFor: '1s' })
    await cluster.start()
    await cluster.until(30)
    early.store.set('up')
    await cluster.until(60)
    const seconds = Array.from({ length: 61 }, (_, second) => second)
    expect(cluster.ran.map(({ tick, at }) => [tick, at])).toEqual(seconds.map((second) => [second, second]))
    expect(early.ticksOf('tick').slice(-29)).toEqual(seconds.slice(-29))
  })

  it('by 24 s ahead, and whose first asks are long under way, takes no tick that lies ahead by more than a second', async () => {
    const cluster = new Cluster()
    const [early] = [cluster.node({ wallAhead: 24 * SECOND }), cluster.node()]
    early.store.set({ delivered: 3_000 })
    cluster.job({ every: '1s', lockAtMostFor: '1s' })
    await cluster.start()
    await cluster.until(30)
    early.store.set('up')
    await cluster.until(60)
    expect([...cluster.ticks].sort((a, b) => a - b)).toEqual(Array.from({ length: 61 }, (_, second) => second))
    for (const { tick, at } of cluster.ran) expect(tick - at).toBeLessThanOrEqual(1)
  })

  it('takes no tick that lies ahead and that it has queued, to catch up, before it knew the time', async () => {
    const cluster = new Cluster()
    const [early] = [cluster.node({ wallAhead: 24 * SECOND }), cluster.node()]
    early.store.set('down')
    cluster.job({ every: '2s', lockAtMostFor: '1s', catchUp: 'latest' })
    await cluster.start()
    await cluster.until(5.2)
    early.store.set('up')
    await cluster.until(40)
    expect(cluster.ran.map(({ tick, at }) => [tick, at])).toEqual(
      Array.from({ length: 21 }, (_, index) => [2 * index, 2 * index]),
    )
  })

  it('by 1.2 s ahead as its own clock goes, is refused a tick, and asks for it again when it is due', async () => {
    const cluster = new Cluster()
    const node = cluster.node({ wallAhead: 1_200 })
    cluster.job({ every: '10s' })
    node.store.set('down')
    await cluster.start()
    node.store.set('up')
    await cluster.until(11)
    expect(node.events('skipped')).toMatchObject([{ reason: 'clock-ahead', scheduledAt: new Date(MIDNIGHT + 10_000) }])
    expect(cluster.ran.map(({ tick, at }) => [tick, at])).toEqual([[10, 10]])
  })

  it.each([
    { wallAhead: 1_500, reply: 2_700 },
    { wallAhead: 1_200, reply: 2_500 },
    { wallAhead: 3_000, reply: 4_600 },
    { wallAhead: 300, reply: 0, maxClockSkew: '100ms' },
    { wallAhead: 300, reply: 0, maxClockSkew: 0 },
  ])(
    'is refused a tick as too early, and asks for it again when it is due, however late it hears of that: %o',
    async ({ wallAhead, reply, ...options }) => {
      const cluster = new Cluster()
      const node = cluster.node({ wallAhead, ...options })
      cluster.job({ cron: '10-50/10 * * * * *' })
      node.store.set('down')
      await cluster.start()
      await cluster.until(2)
      node.store.set(reply, 'acquire')
      node.store.set('up', 'read', 'release')
      await cluster.until(13)
      node.store.set('up')
      await cluster.until(25)
      expect(node.events('skipped')[0]).toMatchObject({
        reason: 'clock-ahead',
        scheduledAt: new Date(MIDNIGHT + 10_000),
      })
      expect(cluster.ticks.filter((tick) => tick >= 10)).toEqual([10, 20])
      for (const { tick, at } of cluster.ran) expect(at).toBeGreaterThanOrEqual(tick)
    },
  )

  it('is not told of below a second', async () => {
    const cluster = new Cluster()
    const node = cluster.node({ wallAhead: 900 })
    cluster.job({ every: '10s' })
    await cluster.start()
    await cluster.until(30)
    expect(node.events('clock-skew')).toEqual([])
    expect(cluster.ran.map(({ tick, at }) => [tick, at])).toEqual([
      [0, 0],
      [10, 10],
      [20, 20],
      [30, 30],
    ])
  })

  it.each([MINUTE, -MINUTE])(
    'from some moment on, by %d ms, stays on time, and tells when it is right again',
    async (jump) => {
      const cluster = new Cluster()
      const node = cluster.node()
      cluster.job({ every: '10s' })
      await cluster.start()
      await cluster.until(15)
      node.clock.wallAhead = jump
      await cluster.until(35)
      node.clock.wallAhead = 0
      await cluster.until(60)
      expect(cluster.ran.map(({ tick, at }) => [tick, at])).toEqual(
        [0, 10, 20, 30, 40, 50, 60].map((tick) => [tick, tick]),
      )
      expect(node.events('clock-skew').map(({ skew }) => skew)).toEqual([jump, 0])
    },
  )

  it('goes on by what it knows while the store is down, and takes no tick that lies ahead when it is back', async () => {
    const cluster = new Cluster()
    const node = cluster.node({ wallAhead: 40 * SECOND })
    cluster.job({ every: '10s', graceFor: '2s' })
    await cluster.start()
    await cluster.until(5)
    node.store.set('down')
    await cluster.until(205)
    node.store.set('up')
    await cluster.until(230)
    expect(cluster.ran.map(({ tick, at }) => [tick, at])).toEqual([
      [0, 0],
      [210, 210],
      [220, 220],
      [230, 230],
    ])
  })

  it('asks for the time again when no answer has brought it, and not at every tick while the store is down', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1h' })
    await cluster.start()
    const readings = (): number => node.store.calls.filter(({ verb }) => verb === 'acquire').length
    expect(readings()).toBe(1)
    await cluster.until(600)
    expect(readings()).toBeGreaterThan(5)
    expect(readings()).toBeLessThan(15)
    cluster.job({ name: 'often', every: '100ms', graceFor: '100ms', onStoreError: 'skip' })
    await cluster.until(601)
    node.store.set('down')
    await cluster.until(700)
    const before = node.events('store-error').filter(({ action }) => action === 'read').length
    await cluster.until(730)
    const after = node.events('store-error').filter(({ action }) => action === 'read').length
    expect(after - before).toBeGreaterThanOrEqual(5)
    expect(after - before).toBeLessThanOrEqual(7)
  })

  it('that slept, its monotonic clock too, is on time again', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1m' })
    await cluster.start()
    await cluster.until(61)
    await node.clock.sleep(10 * MINUTE, { monotonicStandsStill: true })
    await cluster.until(721)
    expect(cluster.ran.at(-1)).toMatchObject({ tick: 720, at: 720 })
  })
})
