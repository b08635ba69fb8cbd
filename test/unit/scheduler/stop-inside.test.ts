import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { JobWork } from '../../../src/scheduler/job.ts'
import type { Scheduler } from '../../../src/scheduler/scheduler.ts'
import { Cluster, Work } from './cluster.ts'

const nested = async (scheduler: Scheduler): Promise<void> => {
  await setImmediate()
  await Promise.all([scheduler.stop()])
}
const disposed = async (scheduler: Scheduler): Promise<void> => {
  await using _own = scheduler
}

/** One node with a job of each minute; the first run does this. */
async function inside(stop: (scheduler: Scheduler) => Promise<void>) {
  const cluster = new Cluster()
  const node = cluster.node()
  const story: string[] = []
  cluster.job({ every: '1m' }, async ({ signal }) => {
    await stop(node.scheduler)
    story.push(`stopped at ${cluster.now}, ${signal.aborted ? 'aborted' : 'not aborted'}`)
  })
  node.scheduler.on('released', () => story.push('released'))
  await cluster.start()
  await cluster.until(0)
  await setImmediate()
  await cluster.time.settle()
  return { cluster, node, story }
}

describe('a stop from inside a run', () => {
  it.each([
    ['awaited', (scheduler: Scheduler) => scheduler.stop()],
    ['in what it calls', nested],
    ['at the end of its await using', disposed],
    ['twice', async (scheduler: Scheduler) => void (await Promise.all([scheduler.stop(), scheduler.stop()]))],
  ])('%s, does not wait for that run, and its lock is released before the provider is closed', async (_, stop) => {
    const { cluster, node, story } = await inside(stop)
    await node.scheduler.stop()
    expect(story).toEqual(['stopped at 0, not aborted', 'released'])
    expect(node.store.calls.slice(-2).map(({ verb }) => verb)).toEqual(['release', 'close'])
    expect((await cluster.store.read())[0]).toMatchObject({ tickDone: true, lockUntil: cluster.time.now() })
    expect(node.scheduler.state).toBe('stopped')
  })

  it('waits for the other runs, and for their locks', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const other = new Work()
    const story: string[] = []
    cluster.job({ name: 'other', every: '1m' }, other.run)
    cluster.job({ every: '1m' }, async () => {
      await node.scheduler.stop()
      story.push('stopped')
    })
    node.scheduler.on('released', ({ job }) => story.push(`${job} released`))
    await cluster.start()
    await cluster.until(20)
    expect(story).toEqual([])
    other.end()
    await cluster.until(21)
    await node.scheduler.stop()
    expect(story).toEqual(['other released', 'stopped', 'job released'])
  })

  it('of two runs at once, neither waits for the other', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const stop: JobWork = () => node.scheduler.stop()
    cluster.job({ name: 'a', every: '1m' }, stop)
    cluster.job({ name: 'b', every: '1m' }, stop)
    await cluster.start()
    await cluster.until(1)
    await node.scheduler.stop()
    expect(cluster.now).toBe(1)
    expect(node.events('succeeded')).toHaveLength(2)
  })

  it('by a job that another one triggers and waits for', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    node.scheduler.job({ name: 'stops', every: '1h', lockAtMostFor: '1m' }, () => node.scheduler.stop())
    cluster.job({ every: '1m' }, () => node.scheduler.trigger('stops'))
    await cluster.start()
    await cluster.until(1)
    await node.scheduler.stop()
    expect(cluster.now).toBe(1)
    expect(node.events('succeeded').map(({ job }) => job)).toContain('stops')
  })

  it('from what outlives the run waits for all', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const work = new Work()
    let later: Promise<void> | undefined
    cluster.job({ name: 'a', every: '1m' }, () => {
      later = (async () => {
        await new Promise<void>((resolve) => void cluster.time.setTimer(5_000, resolve))
        await node.scheduler.stop()
      })()
    })
    cluster.job({ name: 'b', every: '1m' }, work.run)
    await cluster.start()
    await cluster.until(10)
    let stopped = false
    later?.then(() => {
      stopped = true
    })
    await cluster.until(20)
    expect(stopped).toBe(false)
    work.end()
    await later
    expect(node.store.callsOf('close')).toHaveLength(1)
  })

  it('from a listener, and from beforeClose, is over as soon as the stop is', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    let heard: Promise<void> | undefined
    cluster.job({ every: '1m' })
    node.scheduler.on('started', () => {
      heard = node.scheduler.stop()
    })
    node.scheduler.beforeClose(() => node.scheduler.stop())
    await cluster.start()
    await cluster.until(0)
    await heard
    expect(cluster.now).toBe(0)
    expect(node.store.callsOf('close')).toHaveLength(1)
  })

  it('is bounded by the grace: a run that ignores its signal does not keep it', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ name: 'other', every: '1m', lockAtMostFor: '1h' }, () => new Promise(() => {}))
    let at: number | undefined
    cluster.job({ every: '1m', lockAtMostFor: '1h' }, async () => {
      await node.scheduler.stop({ graceFor: '2s', abortFor: '1s' })
      at = cluster.now
    })
    await cluster.start()
    await cluster.until(10)
    expect(at).toBeLessThanOrEqual(4)
  })
})
