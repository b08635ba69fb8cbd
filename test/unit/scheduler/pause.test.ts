import { describe, expect, it } from 'vitest'
import { memory } from '../../../providers/memory/memory.ts'
import { Scheduler } from '../../../src/scheduler/scheduler.ts'
import { Cluster, MIDNIGHT, SECOND, Work } from './cluster.ts'

describe('a paused job', () => {
  it('is skipped by every node from its next tick on, with the reason, until it is resumed by any of them', async () => {
    const cluster = new Cluster()
    const [a, b] = [cluster.node(), cluster.node()]
    cluster.job({ every: '10s' })
    await cluster.start()
    await cluster.until(5)
    expect(await a.scheduler.pause('job')).toBe(true)
    await cluster.until(25)
    expect(cluster.ticks).toEqual([0])
    for (const node of [a, b]) {
      const paused = node.events('skipped').filter(({ reason }) => reason === 'paused')
      expect(paused.map(({ scheduledAt }) => (scheduledAt.getTime() - MIDNIGHT) / SECOND)).toEqual([10, 20])
    }
    expect(await b.scheduler.resume('job')).toBe(true)
    await cluster.until(35)
    expect(cluster.ticks).toEqual([0, 30])
    expect([a.events('paused'), b.events('resumed')]).toMatchObject([[{ job: 'job' }], [{ job: 'job' }]])
  })

  it('may be paused twice, and says whether that changed anything', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const { scheduler } = node
    cluster.job({ every: '10s' })
    expect(await scheduler.pause('job')).toBe(true)
    expect(await scheduler.pause('job')).toBe(false)
    expect(await scheduler.resume('job')).toBe(true)
    expect(await scheduler.resume('job')).toBe(false)
    expect(node.events('paused', 'resumed')).toHaveLength(2)
  })

  it.each(['latest', { window: '1h', max: 10 }] as const)(
    'owes nothing of the pause with catchUp %j',
    async (catchUp) => {
      const cluster = new Cluster()
      const node = cluster.node()
      cluster.job({ every: '10s', catchUp })
      await cluster.start()
      await cluster.until(5)
      await node.scheduler.pause('job')
      await cluster.until(45)
      await node.scheduler.resume('job')
      const late = cluster.node()
      cluster.job({ every: '10s', catchUp }, undefined, [late])
      await cluster.start(late)
      await cluster.until(52)
      expect(cluster.ticks).toEqual([0, 50])
    },
  )

  it('goes on with the run under way, and can be triggered', async () => {
    const cluster = new Cluster()
    const { scheduler } = cluster.node()
    const work = new Work()
    cluster.job({ every: '10s' }, work.run)
    await cluster.start()
    await cluster.until(1)
    await scheduler.pause('job')
    expect(work.going).toBe(1)
    work.end()
    await cluster.until(15)
    const triggered = scheduler.trigger('job')
    await cluster.until(16)
    work.end()
    await cluster.until(17)
    expect(await triggered).toMatchObject({ ran: true })
    expect(cluster.ran.map(({ kind }) => kind)).toEqual(['schedule', 'trigger'])
  })

  it('is not rerun when its node crashed, and nobody asks for its tick over and over', async () => {
    const cluster = new Cluster()
    const [a, b] = [cluster.node(), cluster.node()]
    const work = new Work()
    cluster.job({ every: '1h', onCrash: 'rerun', lockAtMostFor: '20s' }, work.run)
    await cluster.start()
    await cluster.until(1)
    const runner = a.events('started').length > 0 ? a : b
    const other = runner === a ? b : a
    runner.store.set('down')
    await other.scheduler.pause('job')
    const before = other.store.calls.length
    await cluster.until(120)
    expect(cluster.ran).toHaveLength(1)
    expect(other.store.calls.length - before).toBeLessThan(20)
  })

  it("that runs without the store (onStoreError 'run') does not, as long as it is known to be paused", async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '10s', onStoreError: 'run', graceFor: '2s' })
    await cluster.start()
    await cluster.until(5)
    await node.scheduler.pause('job')
    node.store.set('down')
    await cluster.until(15)
    expect(cluster.ticks).toEqual([0])
    expect(node.events('skipped').at(-1)).toMatchObject({ reason: 'paused' })
  })

  it('is refused by a name that is no job, and where the provider can not pause', async () => {
    const { setPaused: _, ...provider } = memory()
    await using scheduler = new Scheduler({ provider, defaults: { lockAtMostFor: '1m' } })
    scheduler.job({ name: 'job', every: '10s' }, () => {})
    await expect(scheduler.pause('other')).rejects.toThrow('job "other": there is none of that name')
    await expect(scheduler.pause('job')).rejects.toThrow('the provider has no setPaused')
  })
})
