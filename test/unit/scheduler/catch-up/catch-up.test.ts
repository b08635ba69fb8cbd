import { describe, expect, it } from 'vitest'
import type { JobOptions } from '../../../../src/scheduler/job-options.ts'
import { Cluster, MIDNIGHT, MINUTE, SECOND, Work } from '../cluster.ts'

/** The job ran, by some other node, so many seconds after midnight. */
async function ranAt(cluster: Cluster, seconds: number, lockAtLeastFor = 0): Promise<void> {
  const request = {
    name: 'job',
    owner: 'other',
    label: 'other',
    lockAtMostFor: 1_000,
    tick: MIDNIGHT + seconds * SECOND,
  }
  await cluster.store.acquire([{ ...request, maxClockSkew: 60_000 }])
  await cluster.store.release([{ ...request, lockAtLeastFor }])
}

const WINDOW: JobOptions['catchUp'] = { window: '1h', max: 100 }

describe('at start', () => {
  it.each<[JobOptions['catchUp'], number[]]>([
    ['none', []],
    ['latest', [50]],
    [{ window: '36s', max: 100 }, [20, 30, 40, 50]],
    [{ window: '1h', max: 2 }, [40, 50]],
    [{ window: '1h', max: 1000 }, [10, 20, 30, 40, 50]],
  ])('catchUp %j runs of the ticks that passed %j', async (catchUp, ticks) => {
    const cluster = new Cluster()
    await cluster.until(0)
    await ranAt(cluster, 0)
    await cluster.until(55)
    cluster.node()
    cluster.job({ every: '10s', catchUp })
    await cluster.start()
    await cluster.until(59)
    expect(cluster.ticks).toEqual(ticks)
    expect(cluster.ran.every(({ kind }) => kind === 'catch-up')).toBe(true)
    await cluster.until(71)
    expect(cluster.ticks).toEqual([...ticks, 60, 70])
  })

  it('a job that was never seen before owes nothing', async () => {
    const cluster = new Cluster()
    await cluster.until(55)
    cluster.node()
    cluster.job({ every: '10s', catchUp: WINDOW })
    await cluster.start()
    await cluster.until(60)
    expect(cluster.ticks).toEqual([60])
  })

  it('runOnStart runs the latest tick of a job that was never seen before, on one of three nodes', async () => {
    const cluster = new Cluster()
    await cluster.until(55)
    for (let count = 0; count < 3; count++) cluster.node()
    cluster.job({ every: '10s', runOnStart: true })
    await cluster.start()
    await cluster.until(59)
    expect(cluster.ran).toMatchObject([{ tick: 50, kind: 'catch-up' }])
  })

  it('runOnStart does not run a tick that ran before', async () => {
    const cluster = new Cluster()
    await cluster.until(55)
    await ranAt(cluster, 50)
    const node = cluster.node()
    cluster.job({ every: '10s', runOnStart: true })
    await cluster.start()
    await cluster.until(59)
    expect(cluster.ticks).toEqual([])
    expect(node.store.callsOf('acquire')).toEqual([])
  })

  it('a changed schedule never runs a tick that is older than the last one granted', async () => {
    const cluster = new Cluster()
    await cluster.until(56)
    await ranAt(cluster, 55)
    cluster.node()
    cluster.job({ every: '10s', catchUp: WINDOW, runOnStart: true })
    await cluster.start()
    await cluster.until(59)
    expect(cluster.ticks).toEqual([])
  })

  it('a tick that comes while the store is asked for its clock waits behind those that are owed', async () => {
    const cluster = new Cluster()
    await cluster.until(0)
    await ranAt(cluster, 0)
    await cluster.until(49)
    const node = cluster.node()
    cluster.job({ every: '10s', catchUp: WINDOW })
    node.store.set(2 * SECOND, 'acquire')
    await cluster.start()
    await cluster.until(50.5)
    node.store.set('up', 'acquire')
    await cluster.until(59)
    expect(cluster.ticks).toEqual([10, 20, 30, 40, 50])
  })

  it('a store that is down is asked until it answers, then all that is owed runs in order', async () => {
    const cluster = new Cluster()
    await cluster.until(0)
    await ranAt(cluster, 0)
    await cluster.until(25)
    const node = cluster.node()
    node.store.set('down')
    cluster.job({ every: '10s', catchUp: WINDOW })
    await cluster.start()
    await cluster.until(55)
    node.store.set('up')
    await cluster.until(62)
    expect(cluster.ticks).toEqual([10, 20, 30, 40, 50, 60])
  })

  it('a job that is registered while the start waits is looked after once', async () => {
    const cluster = new Cluster()
    await cluster.until(0)
    await ranAt(cluster, 0)
    await cluster.until(25)
    const node = cluster.node()
    node.scheduler.job({ name: 'first', every: '1h', lockAtMostFor: '1m' }, () => {})
    node.store.set(SECOND, 'acquire')
    await cluster.start()
    cluster.job({ every: '10s', catchUp: WINDOW })
    await cluster.until(27)
    expect(node.store.callsOf('read').map(({ batch }) => batch.map(({ name }) => name))).toEqual([['job']])
    await cluster.until(34)
    expect(cluster.ticks).toEqual([10, 20, 30])
  })

  it('a job that is registered later is looked after too', async () => {
    const cluster = new Cluster()
    await cluster.until(0)
    await ranAt(cluster, 0)
    cluster.node()
    await cluster.start()
    await cluster.until(25)
    cluster.job({ every: '10s', catchUp: WINDOW })
    await cluster.until(31)
    expect(cluster.ticks).toEqual([10, 20, 30])
  })
})

describe('after an outage of the store', () => {
  it.each<[JobOptions['catchUp'], number[]]>([
    ['none', [0]],
    ['latest', [0, 50]],
    [WINDOW, [0, 10, 20, 30, 40, 50]],
    [{ window: '25s', max: 100 }, [0, 40, 50]],
  ])('catchUp %j has run %j', async (catchUp, ticks) => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '10s', graceFor: '2s', catchUp })
    await cluster.start()
    await cluster.until(5)
    node.store.set('down')
    await cluster.until(57)
    node.store.set('up')
    await cluster.until(59.9)
    expect(cluster.ticks).toEqual(ticks)
    await cluster.until(80)
    expect(cluster.ticks).toEqual([...ticks, 60, 70, 80])
  })

  it('of all nodes, each tick runs once and in order, whichever node runs it', async () => {
    const cluster = new Cluster()
    const nodes = [cluster.node(), cluster.node(), cluster.node()]
    cluster.job({ every: '10s', catchUp: WINDOW }, () => undefined)
    await cluster.start()
    await cluster.until(5)
    for (const node of nodes) node.store.set('down')
    await cluster.until(57)
    for (const node of nodes) node.store.set('up')
    await cluster.until(80)
    expect(cluster.ticks).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80])
  })

  it('a tick whose grace lasts to the very next one is not overtaken by it', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '10s', graceFor: '1h', catchUp: WINDOW })
    await cluster.start()
    await cluster.until(5)
    node.store.set('down')
    await cluster.until(21)
    node.store.set('up')
    await cluster.until(29)
    expect(cluster.ticks).toEqual([0, 10, 20])
  })

  it('that comes back in the midst of it, no owed tick is passed over', async () => {
    const cluster = new Cluster()
    await cluster.until(0)
    await ranAt(cluster, 0)
    await cluster.until(55)
    const node = cluster.node()
    let runs = 0
    cluster.job({ every: '10s', graceFor: '2s', catchUp: WINDOW }, () => {
      if (++runs === 2) node.store.set('down', 'acquire')
    })
    await cluster.start()
    await cluster.until(65)
    expect(node.ticksOf('missed')[0]).toBe(30)
    node.store.set('up')
    await cluster.until(69)
    expect(cluster.ticks).toEqual([10, 20, 30, 40, 50, 60])
  })

  it('ticks that can be asked for no more are told as missed', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '10s', graceFor: '2s', catchUp: 'latest' })
    await cluster.start()
    await cluster.until(5)
    node.store.set('down')
    await cluster.until(45)
    node.store.set('up')
    await cluster.until(49)
    expect(cluster.ticks).toEqual([0, 40])
    expect(node.ticksOf('missed')).toEqual([10, 20, 30])
  })

  it('a job that would rather run without its lock does not wait for the store', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    node.store.set('down')
    cluster.job({ every: '10s', graceFor: '2s', catchUp: 'latest', onStoreError: 'run' })
    await cluster.start()
    await cluster.until(15)
    expect(cluster.ran).toMatchObject([
      { tick: 0, at: 2 },
      { tick: 10, at: 12 },
    ])
  })
})

describe('a tick that is caught up with while it is still asked for on time', () => {
  it('does not run once more without its lock', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '10s', catchUp: 'latest', onStoreError: 'run' })
    await ranAt(cluster, -10)
    await cluster.start()
    node.store.set('down', 'acquire')
    await cluster.until(9.9)
    node.store.set(4_500, 'read')
    await cluster.until(14.4)
    node.store.set('up', 'acquire')
    await cluster.until(14.6)
    node.store.set('down', 'acquire')
    expect(cluster.ran.at(-1)).toMatchObject({ tick: 10, kind: 'catch-up' })
    await cluster.until(20.5)
    expect(cluster.ticks.filter((tick) => tick === 10)).toHaveLength(1)
  })
})

describe('several nodes that catch up', () => {
  it('lose no tick when one ends the moment after the other was refused', async () => {
    const cluster = new Cluster()
    await cluster.until(0)
    await ranAt(cluster, 0)
    await cluster.until(45)
    const [first, second] = [cluster.node(), cluster.node()]
    const work = new Work()
    cluster.job({ every: '10s', catchUp: WINDOW }, work.run)
    await cluster.start(first)
    await cluster.time.settle()
    expect(cluster.ticks).toEqual([10])
    // The second one is refused 20, as 10 is running; then 10 ends, while its answer is under way.
    second.store.set(20, 'acquire')
    await cluster.start(second)
    await cluster.until(45.5)
    work.end()
    for (let second = 46; second < 80; second++) {
      await cluster.until(second)
      work.end()
    }
    const caughtUp = cluster.ticks.filter((tick) => tick <= 40)
    expect(caughtUp).toEqual([10, 20, 30, 40])
    expect(cluster.ticks).toEqual(cluster.ticks.toSorted((a, b) => a - b))
  })

  it('run all that is owed though each lock stays taken for lockAtLeastFor', async () => {
    const cluster = new Cluster()
    await cluster.until(0)
    await ranAt(cluster, 0)
    await cluster.until(31)
    cluster.node()
    cluster.job({ every: '10s', lockAtLeastFor: '2s', catchUp: WINDOW })
    await cluster.start()
    await cluster.until(39)
    expect(cluster.ticks).toEqual([10, 20, 30])
  })
})

/** One node, begun with ticks to catch up on (two, at 25), whose runs go on until they are told to end. */
async function behind(second = 25) {
  const cluster = new Cluster()
  await cluster.until(0)
  await ranAt(cluster, 0)
  await cluster.until(second)
  const node = cluster.node()
  const work = new Work()
  cluster.job({ every: '10s', catchUp: WINDOW, lockAtMostFor: '1h' }, work.run)
  await cluster.start()
  return { cluster, node, work }
}

describe('while a job catches up', () => {
  it('new ticks wait their turn', async () => {
    const { cluster, node, work } = await behind()
    await cluster.until(42)
    expect(node.ticksOf('tick')).toEqual([30, 40])
    expect(cluster.ticks).toEqual([10])
    for (let second = 43; second < 49; second++) {
      work.end()
      await cluster.until(second)
    }
    expect(cluster.ran.map(({ tick, kind }) => `${tick} ${kind}`)).toEqual([
      '10 catch-up',
      '20 catch-up',
      '30 schedule',
      '40 schedule',
    ])
    work.end()
  })

  it('and takes longer than its interval, it still gets done with it', async () => {
    const cluster = new Cluster()
    await cluster.until(0)
    await ranAt(cluster, 0)
    await cluster.until(5.5)
    const node = cluster.node()
    cluster.job({ every: '1s', catchUp: WINDOW, lockAtMostFor: '1h' }, async () => {
      await new Promise<void>((resolve) => void cluster.time.setTimer(2_500, resolve))
    })
    await cluster.start()
    await cluster.until(120)
    const late = cluster.ran.slice(-5).map(({ tick, at }) => at - tick)
    expect(late).toEqual([0, 0, 0, 0, 0])
    expect(node.events('skipped').at(-1)?.reason).toBe('running')
  })

  it('and takes so long that a tick falls out of the window, that one is missed', async () => {
    const cluster = new Cluster()
    await cluster.until(0)
    await ranAt(cluster, 0)
    await cluster.until(35)
    const node = cluster.node()
    cluster.job({ every: '10s', catchUp: { window: '50s', max: 9 }, lockAtMostFor: '1h' }, async ({ scheduledAt }) => {
      if (scheduledAt.getTime() > MIDNIGHT + 10 * SECOND) return
      await new Promise<void>((resolve) => void cluster.time.setTimer(28_000, resolve))
      await new Promise<void>((resolve) => void cluster.time.setTimer(12_000, resolve))
    })
    await cluster.start()
    await cluster.until(79)
    expect(cluster.ticks).toEqual([10, 30, 40, 50, 60, 70])
    expect(node.events('missed')).toMatchObject([{ reason: 'late', scheduledAt: new Date(MIDNIGHT + 20 * SECOND) }])
  })

  it('and is stopped, it tells of what waited', async () => {
    const { cluster, node, work } = await behind(15)
    await cluster.until(35)
    const stopped = node.scheduler.stop()
    await cluster.time.settle()
    work.end()
    await cluster.until(40)
    await stopped
    expect(node.events('missed').map(({ reason }) => reason)).toEqual(['stopped', 'stopped'])
    expect(node.ticksOf('missed')).toEqual([20, 30])
    expect(cluster.ticks).toEqual([10])
  })
})

describe('after this machine was asleep', () => {
  it.each([
    ['and its monotonic clock with it', true],
    ['while its monotonic clock went on', false],
  ])('%s: what passed is told, and caught up with in order', async (_, monotonicStandsStill) => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '10s', catchUp: WINDOW })
    await cluster.start()
    await cluster.until(5)
    await node.clock.sleep(5 * MINUTE + 2 * SECOND, { monotonicStandsStill })
    await cluster.until(5 + 302 + 35)
    const all = Array.from({ length: 35 }, (_, index) => index * 10)
    expect(cluster.ticks).toEqual(all)
    expect(node.events('missed')[0]).toMatchObject({
      reason: 'late',
      scheduledAt: new Date(MIDNIGHT + 10 * SECOND),
    })
  })

  it('while it was catching up, what passed is not overtaken by what was queued since', async () => {
    const { cluster, node, work } = await behind()
    await cluster.until(26)
    await node.clock.sleep(MINUTE)
    await cluster.until(92)
    for (let second = 93; second < 110; second++) {
      work.end()
      await cluster.until(second)
    }
    expect(cluster.ticks.slice(0, 9)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90])
    work.end()
  })

  it.each([true, false])(
    'catchUp none runs none but the tick whose grace is not over (monotonic stood still: %s)',
    async (still) => {
      const cluster = new Cluster()
      const node = cluster.node()
      cluster.job({ every: '1m', graceFor: '30s' })
      await cluster.start()
      await cluster.until(5)
      await node.clock.sleep(5 * MINUTE, { monotonicStandsStill: still })
      await cluster.until(5 * 60 + 59)
      expect(cluster.ticks).toEqual([0, 300])
      expect(node.events('missed')).toMatchObject([{ reason: 'late', until: new Date(MIDNIGHT + 4 * MINUTE) }])
      expect(node.ticksOf('missed')).toEqual([60])
    },
  )

  it('a tick that is later than its grace is missed', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1h' })
    await cluster.start()
    await node.clock.sleep(10 * MINUTE)
    await cluster.until(700)
    expect(cluster.ticks).toEqual([])
    expect(node.events('missed')).toMatchObject([{ reason: 'late', until: undefined }])
  })

  it('what another node ran meanwhile is not run again', async () => {
    const cluster = new Cluster()
    const [first] = [cluster.node(), cluster.node()]
    cluster.job({ every: '10s', catchUp: WINDOW })
    await cluster.start()
    await cluster.until(5)
    await first.clock.sleep(5 * MINUTE, { monotonicStandsStill: true })
    await cluster.until(400)
    expect(cluster.ticks).toEqual(Array.from({ length: 41 }, (_, index) => index * 10))
  })
})
