import { describe, expect, it } from 'vitest'
import type { JobOptions } from '../../../src/scheduler/job-options.ts'
import { Cluster, MIDNIGHT, type Node } from './cluster.ts'

const WINDOW: JobOptions['catchUp'] = { window: '1d', max: 100 }

/**
 * A node with a job of each 10 s that slept from 62 s to 82 s, its monotonic clock too. `first` is called before any
 * other timer fires.
 */
async function awake(first: (cluster: Cluster, node: Node) => void): Promise<{ cluster: Cluster; node: Node }> {
  const cluster = new Cluster()
  const node = cluster.node()
  cluster.job({ name: 'other', every: '10s' })
  await cluster.start()
  await cluster.until(62)
  node.clock.setTimer(1, () => first(cluster, node))
  await node.clock.sleep(20_000, { monotonicStandsStill: true })
  return { cluster, node }
}

describe('a job that is registered right after its machine woke up', () => {
  it.each<[string, JobOptions['catchUp']]>([
    ['1s', WINDOW],
    ['1s', 'latest'],
    ['1s', 'none'],
    ['10s', WINDOW],
    ['10s', 'none'],
    ['30s', WINDOW],
    ['30s', 'none'],
  ])('each %s, with catchUp %j, runs no tick from before', async (every, catchUp) => {
    const { cluster } = await awake((cluster) => cluster.job({ every, catchUp, graceFor: '1m' }))
    await cluster.until(91)
    const own = cluster.ran.filter(({ job }) => job === 'job')
    const length = Number.parseInt(every, 10)
    const ticks = Array.from({ length: 92 }, (_, second) => second).filter((tick) => tick > 82 && tick % length === 0)
    expect(own.map(({ tick, at }) => [tick, at])).toEqual(ticks.map((tick) => [tick, tick]))
    expect(cluster.nodes.flatMap((node) => node.events('missed')).filter(({ job }) => job === 'job')).toEqual([])
  })

  it('goes by its own clock when the store can not be reached', async () => {
    const { cluster, node } = await awake((cluster, { store }) => {
      store.set('hang')
      cluster.job({ every: '1s', catchUp: WINDOW })
    })
    await cluster.until(88)
    node.store.set('up')
    await cluster.until(100)
    const own = cluster.ran.filter(({ job }) => job === 'job')
    expect(own[0]).toMatchObject({ tick: 83 })
    expect(own.map(({ tick }) => tick)).toEqual(Array.from({ length: 18 }, (_, index) => 83 + index))
  })

  it.each(['remove', 'stop'])('does not run after a %s before the store has responded', async (verb) => {
    const { cluster, node } = await awake((cluster, { store }) => {
      store.set(1_000, 'acquire')
      cluster.job({ every: '1s' })
    })
    await cluster.until(82.5)
    if (verb === 'remove') node.scheduler.remove('job')
    else void node.scheduler.stop()
    await cluster.until(91)
    expect(cluster.ran.filter(({ job }) => job === 'job')).toEqual([])
  })

  it('has the time requested once more when the wall clock jumps again meanwhile', async () => {
    const { cluster, node } = await awake((cluster, { store }) => {
      store.set(1_000, 'acquire')
      cluster.job({ every: '1s', catchUp: WINDOW })
    })
    await cluster.until(82.5)
    node.clock.wallAhead += 60_000
    await cluster.until(83.9)
    expect(cluster.ran.filter(({ job }) => job === 'job')).toEqual([])
    await cluster.until(90)
    const ticks = cluster.ran.filter(({ job }) => job === 'job').map(({ tick }) => tick)
    expect(ticks).toEqual([82, 83, 84, 85, 86, 87])
  })

  it('asks for the time once for all that are registered at once', async () => {
    const { cluster, node } = await awake((cluster) => {
      for (let index = 0; index < 50; index++) cluster.job({ name: `job ${index}`, every: '1m' })
    })
    await cluster.until(83)
    const asked = node.store.calls.filter(({ at }) => at >= MIDNIGHT + 82_000).flatMap(({ batch }) => batch)
    expect(asked.filter(({ name }) => name !== 'other')).toHaveLength(1)
  })
})
