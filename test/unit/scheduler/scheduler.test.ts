import { describe, expect, it } from 'vitest'
import { memory } from '../../../providers/memory/memory.ts'
import { currentLock } from '../../../src/locker/current-lock.ts'
import { Scheduler } from '../../../src/scheduler/scheduler.ts'
import { Cluster, MIDNIGHT, SECOND, Work } from './cluster.ts'

describe('a scheduler', () => {
  it('does nothing before it is started', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1s' })
    await cluster.until(5)
    expect([cluster.ran, node.store.calls, cluster.time.pending]).toEqual([[], [], 0])
  })

  it('started twice runs each tick once', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1s' })
    await Promise.all([node.scheduler.start(), node.scheduler.start()])
    await node.scheduler.start()
    await cluster.until(2)
    expect(node.ticksOf('tick')).toEqual([0, 1, 2])
    expect(cluster.ticks).toEqual([0, 1, 2])
  })

  it('runs jobs that come after the start, also when it was started without any', async () => {
    const cluster = new Cluster()
    cluster.node()
    await cluster.start()
    await cluster.until(0.5)
    cluster.job({ every: '1s' })
    await cluster.until(2)
    expect(cluster.ticks).toEqual([1, 2])
  })

  it('runs a job that was taken out no more, and lets its run go on', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1s' }, () => {
      node.scheduler.remove('job')
    })
    await cluster.start()
    await cluster.until(5)
    expect(node.story()).toEqual(['tick', 'acquired', 'started', 'succeeded', 'released'])
    expect(node.scheduler.remove('job')).toBe(false)
    expect(node.scheduler.jobs).toEqual([])
  })

  it('does not start a job that was taken out and registered anew while its run goes on, though the lease is lost', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const work = new Work()
    cluster.job({ every: '10s', lockAtMostFor: '1s' }, work.run)
    await cluster.start()
    await cluster.until(5)
    node.scheduler.remove('job')
    cluster.job({ every: '10s', lockAtMostFor: '1m' }, work.run)
    await cluster.until(10)
    expect(work.going).toBe(1)
    expect(node.events('skipped')).toMatchObject([{ reason: 'running' }])
    expect(await node.scheduler.trigger('job')).toMatchObject({ ran: false, reason: 'running' })
    work.end()
    await cluster.until(20)
    expect(work.going).toBe(1)
    work.end()
  })

  it('does not ask for a tick whose job was taken out during its jitter', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '10s', jitter: '2s' })
    await cluster.start()
    await cluster.until(0.5)
    node.scheduler.remove('job')
    await cluster.until(9)
    expect(node.store.callsOf('acquire')).toEqual([])
  })

  it('runs cron jobs by their zone', async () => {
    const cluster = new Cluster()
    cluster.node()
    cluster.job({ cron: '10 30 5 * * *', timezone: 'Asia/Kolkata' })
    cluster.job({ name: 'never', cron: '0 0 31 2 *' })
    await cluster.start()
    await cluster.until(60)
    expect(cluster.ticks).toEqual([10])
  })

  it('takes one Cron for all jobs with the same pattern and zone', () => {
    const scheduler = new Scheduler({ provider: memory() })
    const before = performance.now()
    for (let index = 0; index < 20_000; index++) {
      scheduler.job(
        { name: `job ${index}`, cron: '*/5 * * * *', timezone: 'Europe/Berlin', lockAtMostFor: '1m' },
        () => {},
      )
    }
    // A Cron each would cost 900 MB.
    expect(process.memoryUsage().heapUsed).toBeLessThan(300e6)
    expect(performance.now() - before).toBeLessThan(20_000)
  })

  it('shares nothing with another one in the same process', async () => {
    const [one, other] = [new Cluster(), new Cluster()]
    one.node()
    other.node()
    one.job({ every: '1s' })
    other.job({ every: '1s' })
    await one.start()
    await other.start()
    await one.until(2)
    expect([one.ticks, other.ticks]).toEqual([[0, 1, 2], []])
    await one.nodes[0]?.scheduler.stop()
    await other.until(1)
    expect(other.ticks).toEqual([0, 1])
  })

  it('lets the code inside a job find its lock', async () => {
    const cluster = new Cluster()
    cluster.node()
    const found: unknown[] = []
    cluster.job({ every: '1s' }, async ({ lock }) => {
      await Promise.resolve()
      found.push(currentLock() === lock)
    })
    await cluster.start()
    await cluster.until(0)
    expect(found).toEqual([true])
    expect(currentLock()).toBeUndefined()
  })

  it('keeps metadata and its label with the lock, for people', async () => {
    const cluster = new Cluster()
    cluster.node({ label: 'web-1' })
    cluster.job({ every: '1s', metadata: 'v2' })
    await cluster.start()
    await cluster.until(0)
    const record = cluster.store.locks.get('job')
    expect([record?.metadata, record?.lockedBy.split('#')[0]]).toEqual(['v2', 'web-1'])
  })

  it('lists the next ticks', () => {
    const cluster = new Cluster()
    const { scheduler } = cluster.node()
    cluster.job({ cron: '0 0 0 1 1 * 2024-2025' })
    expect(scheduler.nextTicks('job', 5)).toEqual([new Date(MIDNIGHT), new Date(MIDNIGHT + 366 * 86_400 * SECOND)])
  })
})
