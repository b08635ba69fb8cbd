import { describe, expect, it } from 'vitest'
import { Cluster, MIDNIGHT, SECOND, Work } from '../cluster.ts'

const foreign = { name: 'job', owner: 'crashed', label: 'crashed', maxClockSkew: 60_000 }

/** Another node was granted the tick of midnight, and never renews its lease nor releases it. */
async function crash(cluster: Cluster, lockAtMostFor = 5 * SECOND): Promise<number> {
  const [result] = await cluster.store.acquire([{ ...foreign, lockAtMostFor, tick: MIDNIGHT }])
  if (!result || result instanceof Error || !result.granted)
    throw new Error('the crashed node was not granted its tick')
  return result.lease.fencingToken
}

describe('a tick whose node crashed', () => {
  it('is taken over by exactly one of three nodes as soon as the lease has lapsed, with a higher token', async () => {
    const cluster = new Cluster()
    for (let count = 0; count < 3; count++) cluster.node()
    cluster.job({ every: '1m', onCrash: 'rerun' })
    await cluster.start()
    const token = await crash(cluster)
    await cluster.until(59)
    expect(cluster.ran).toMatchObject([{ tick: 0, kind: 'rerun' }])
    expect(cluster.ran[0]?.at).toBeCloseTo(4.5, 1)
    expect(cluster.ran[0]?.token).toBeGreaterThan(token)
    expect(cluster.store.locks.get('job')?.tickDone).toBe(true)
  })

  it('is over when the job does not ask for more', async () => {
    const cluster = new Cluster()
    cluster.node()
    cluster.job({ every: '1m' })
    await cluster.start()
    await crash(cluster)
    await cluster.until(59)
    expect(cluster.ran).toEqual([])
  })

  it('is a rerun also for a node that requests it for the first time after the expiry', async () => {
    const cluster = new Cluster()
    const [node] = [cluster.node()]
    cluster.job({ every: '1m', onCrash: 'rerun', graceFor: '20s' })
    await cluster.start()
    await crash(cluster)
    node?.store.set('down', 'acquire')
    await cluster.until(10)
    node?.store.set('up', 'acquire')
    await cluster.until(59)
    expect(cluster.ran).toMatchObject([{ tick: 0, kind: 'rerun' }])
  })

  it('is no crash when its run ended and the store was down past the lease: nobody runs it again', async () => {
    const cluster = new Cluster()
    const [first, second] = [cluster.node(), cluster.node()]
    const work = new Work()
    cluster.job({ every: '1m', lockAtMostFor: '5s', onCrash: 'rerun' }, work.run)
    await cluster.start()
    await cluster.until(1)
    expect(cluster.ticks).toEqual([0])
    for (const { store } of [first, second]) store.set('down')
    work.end()
    await cluster.until(20)
    expect(cluster.store.locks.get('job')?.tickDone).toBe(false)
    const runner = cluster.ran[0]?.node === 'node1' ? first : second
    runner.store.set('up')
    await cluster.until(22)
    expect(cluster.store.locks.get('job')?.tickDone).toBe(true)
    for (const { store } of [first, second]) store.set('up')
    await cluster.until(59)
    expect(cluster.ticks).toEqual([0])
  })

  it('is released once more at a stop, before the provider is closed', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const work = new Work()
    cluster.job({ every: '1m', lockAtMostFor: '5s', onCrash: 'rerun' }, work.run)
    await cluster.start()
    await cluster.until(1)
    node.store.set('down')
    work.end()
    await cluster.until(10)
    node.store.set('up')
    const stopped = node.scheduler.stop()
    await cluster.until(10.05)
    await stopped
    expect(cluster.store.locks.get('job')?.tickDone).toBe(true)
  })

  it('is taken over also by a node that starts after the crash', async () => {
    const cluster = new Cluster()
    await cluster.until(0)
    await crash(cluster)
    await cluster.until(20)
    cluster.node()
    cluster.job({ every: '1m', onCrash: 'rerun' })
    await cluster.start()
    await cluster.until(59)
    expect(cluster.ran).toMatchObject([{ tick: 0, kind: 'rerun' }])
  })

  it('is not taken over before its time, though a node with a wrong clock took it early and crashed', async () => {
    const cluster = new Cluster()
    await cluster.until(0)
    await cluster.store.acquire([{ ...foreign, lockAtMostFor: 1_000, tick: MIDNIGHT + 30 * SECOND }])
    cluster.node()
    cluster.job({ every: '30s', onCrash: 'rerun' })
    await cluster.start()
    await cluster.until(29.9)
    expect(cluster.ran).toEqual([])
    await cluster.until(59)
    expect(cluster.ticks).toEqual([30])
    expect(cluster.ran[0]?.at).toBeGreaterThanOrEqual(30)
  })

  it('is not run by a node that starts after the next tick has passed', async () => {
    const cluster = new Cluster()
    await cluster.until(0)
    await crash(cluster)
    await cluster.until(70)
    cluster.node()
    cluster.job({ every: '1m', onCrash: 'rerun' })
    await cluster.start()
    await cluster.until(119)
    expect(cluster.ran).toEqual([])
  })

  it('is over when a later one was granted first', async () => {
    const cluster = new Cluster()
    cluster.node()
    cluster.job({ every: '1m', onCrash: 'rerun' })
    await cluster.start()
    await crash(cluster)
    await cluster.until(4)
    await cluster.store.forceRelease('job')
    await cluster.store.acquire([{ ...foreign, owner: 'next', lockAtMostFor: 1, tick: MIDNIGHT + 60 * SECOND }])
    await cluster.until(119)
    expect(cluster.ticks.filter((tick) => tick === 0)).toEqual([])
  })

  it('is watched on while it is run by another that took it over, and taken over once more', async () => {
    const cluster = new Cluster()
    cluster.node()
    cluster.job({ every: '1m', onCrash: 'rerun' })
    await cluster.start()
    await crash(cluster)
    await cluster.until(4.45)
    await cluster.store.forceRelease('job')
    const again = { ...foreign, owner: 'crashes too', lockAtMostFor: 10 * SECOND, tick: MIDNIGHT }
    await cluster.store.acquire([{ ...again, onCrash: 'rerun' }])
    await cluster.until(14)
    expect(cluster.ran).toEqual([])
    await cluster.until(15)
    expect(cluster.ran).toMatchObject([{ tick: 0, kind: 'rerun' }])
  })

  it('is taken over although the store fails when the lease lapses', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '5m', onCrash: 'rerun', graceFor: '5s' })
    await cluster.start()
    await crash(cluster)
    await cluster.until(2)
    node.store.set('down')
    await cluster.until(60)
    node.store.set('up')
    await cluster.until(65)
    expect(cluster.ran).toMatchObject([{ tick: 0, kind: 'rerun' }])
  })
})

describe('a tick whose node lives', () => {
  it('is not run again when it was released, however it ended, nor asked for again', async () => {
    const cluster = new Cluster()
    const nodes = [cluster.node(), cluster.node(), cluster.node()]
    cluster.job({ every: '1m', onCrash: 'rerun', lockAtMostFor: '5s' }, () => {
      throw new Error('broken')
    })
    await cluster.start()
    await cluster.until(59)
    expect(cluster.ticks).toEqual([0])
    expect(nodes.map((node) => node.store.callsOf('acquire').length)).toEqual([1, 1, 1])
  })

  it('is not run again while it is kept alive', async () => {
    const cluster = new Cluster()
    for (let count = 0; count < 3; count++) cluster.node()
    const work = new Work()
    cluster.job({ every: '5m', onCrash: 'rerun', lockAtMostFor: '5s', keepAlive: true }, work.run)
    await cluster.start()
    await cluster.until(60)
    work.end()
    await cluster.until(120)
    expect(cluster.ticks).toEqual([0])
  })

  it('is watched no longer after its job was removed', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1m', onCrash: 'rerun' })
    await cluster.start()
    await crash(cluster)
    await cluster.until(1)
    node.scheduler.remove('job')
    await cluster.until(59)
    expect(cluster.ran).toEqual([])
  })
})
