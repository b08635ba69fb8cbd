import { describe, expect, it } from 'vitest'
import { isLockLost } from '../../../src/errors.ts'
import { Cluster, MIDNIGHT, SECOND, Work } from './cluster.ts'

/** One node with a job that runs until it is told to end, under a lease of this length that is kept alive. */
async function kept(lockAtMostFor: string) {
  const cluster = new Cluster()
  const node = cluster.node()
  const work = new Work()
  cluster.job({ every: '1m', lockAtMostFor, keepAlive: true }, work.run)
  await cluster.start()
  return { cluster, node, work }
}

describe('a lease', () => {
  it('is renewed at a third of its length while the job runs, and each renewal is told', async () => {
    const { cluster, node, work } = await kept('9s')
    await cluster.until(30)
    expect(node.store.callsOf('extend').map(({ at }) => (at - MIDNIGHT) / SECOND)).toEqual([
      3, 6, 9, 12, 15, 18, 21, 24, 27, 30,
    ])
    expect(node.events('extended')).toHaveLength(10)
    expect(node.events('lost')).toEqual([])
    work.end()
    await cluster.until(59)
    expect(node.store.callsOf('extend')).toHaveLength(10)
    expect(node.events('released')).toHaveLength(1)
  })

  it('outlives a store that fails for a while', async () => {
    const { cluster, node, work } = await kept('9s')
    await cluster.until(2)
    node.store.set('down', 'extend')
    await cluster.until(8)
    node.store.set('up')
    await cluster.until(20)
    expect(node.events('store-error').every(({ action, job }) => action === 'extend' && job === 'job')).toBe(true)
    expect(node.events('store-error').length).toBeGreaterThan(2)
    expect(node.events('lost')).toEqual([])
    work.end()
  })

  it('outlives a renewal that is lost on its way, however short it is', async () => {
    const { cluster, node, work } = await kept('6s')
    await cluster.until(1)
    node.store.set('hang', 'extend')
    await cluster.until(2.5)
    node.store.set('up')
    await cluster.until(20)
    // The renewal at a third waits for half of what is left, and an eighth of the rest later there is another.
    expect(node.store.callsOf('extend').map(({ at }) => (at - MIDNIGHT) / SECOND)).toEqual([
      2, 4.25, 6.25, 8.25, 10.25, 12.25, 14.25, 16.25, 18.25,
    ])
    expect(node.events('lost')).toEqual([])
    work.end()
  })

  it.each([2_500, 4_900])('whose grant took %d ms of its 6 s is renewed in time', async (took) => {
    const cluster = new Cluster()
    const node = cluster.node()
    const work = new Work()
    cluster.job({ every: '1m', lockAtMostFor: '6s', keepAlive: true }, work.run)
    await cluster.start()
    node.store.set(took, 'acquire')
    await cluster.until(20)
    const [first] = node.store.callsOf('extend')
    expect(first && first.at - MIDNIGHT).toBeCloseTo(took + (6_000 - took) / 3, 0)
    expect(node.events('lost')).toEqual([])
    work.end()
  })

  it('is renewed in time when each renewal takes long', async () => {
    const { cluster, node, work } = await kept('6s')
    node.store.set(1_450, 'extend')
    await cluster.until(40)
    expect(node.events('extended').length).toBeGreaterThan(5)
    expect(node.events('lost')).toEqual([])
    work.end()
  })

  it.each(['down', 'hang'] as const)(
    'is lost at its own deadline when the store stays %s, and the signal aborts',
    async (fault) => {
      const cluster = new Cluster()
      const node = cluster.node()
      let reason: unknown
      cluster.job({ every: '1m', lockAtMostFor: '9s', keepAlive: true }, ({ signal }) => {
        return new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason
            resolve()
          })
        })
      })
      await cluster.start()
      await cluster.until(4)
      node.store.set(fault, 'extend')
      await cluster.until(11.9)
      expect(node.events('lost')).toEqual([])
      await cluster.until(12)
      expect(isLockLost(reason)).toBe(true)
      expect(node.events('lost')).toMatchObject([{ job: 'job', scheduledAt: new Date(MIDNIGHT), error: reason }])
    },
  )

  it('that is not renewed is lost by a run that is longer', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const work = new Work()
    let signal: AbortSignal | undefined
    cluster.job({ every: '1m', lockAtMostFor: '5s' }, (context) => {
      signal = context.signal
      return work.run()
    })
    await cluster.start()
    await cluster.until(4.9)
    expect(signal?.aborted).toBe(false)
    await cluster.until(5)
    expect(isLockLost(signal?.reason)).toBe(true)
    work.end()
    await cluster.until(59)
    expect(node.story().filter((name) => name !== 'tick')).toEqual(['acquired', 'started', 'lost', 'succeeded'])
    await cluster.until(60)
    expect(cluster.ticks).toEqual([0, 60])
    work.end()
  })

  it('that another one took is lost at the next renewal', async () => {
    const { cluster, node, work } = await kept('9s')
    await cluster.until(1)
    await cluster.store.forceRelease('job')
    await cluster.until(3)
    expect(node.events('lost')).toHaveLength(1)
    work.end()
  })

  it('lost by a run that goes on makes this node skip, and others run', async () => {
    const cluster = new Cluster()
    const [first, second] = [cluster.node(), cluster.node()]
    const work = new Work()
    cluster.job({ every: '10s', lockAtMostFor: '5s' }, work.run, [first])
    cluster.job({ every: '10s', lockAtMostFor: '5s' }, () => {}, [second])
    await cluster.start()
    await cluster.until(10)
    expect(cluster.ran).toMatchObject([
      { node: 'node1', tick: 0 },
      { node: 'node2', tick: 10 },
    ])
    expect(first.events('skipped')).toMatchObject([{ reason: 'running' }])
    work.end()
  })
})

describe('many leases', () => {
  it('that began together are renewed by one call each time, also when the store failed meanwhile', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const work = new Work()
    for (let job = 0; job < 50; job++)
      cluster.job({ name: `job-${job}`, every: '1m', lockAtMostFor: '9s', keepAlive: true }, work.run)
    await cluster.start()
    await cluster.until(4)
    expect(node.store.callsOf('extend').map(({ batch }) => batch.length)).toEqual([50])
    node.store.set('down', 'extend')
    await cluster.until(7)
    node.store.set('up')
    await cluster.until(20)
    expect(new Set(node.store.callsOf('extend').map(({ batch }) => batch.length))).toEqual(new Set([50]))
    expect(node.events('lost')).toEqual([])
    work.end()
  })

  it('of different lengths are each renewed at a third', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const work = new Work()
    for (const seconds of [9, 3, 0.9, 8.9])
      cluster.job({ name: `${seconds}`, every: '1m', lockAtMostFor: `${seconds}s`, keepAlive: true }, work.run)
    await cluster.start()
    await cluster.until(30)
    expect(node.events('lost')).toEqual([])
    for (const seconds of [9, 3, 0.9, 8.9]) {
      const renewed = node.store
        .callsOf('extend')
        .filter(({ batch }) => batch.some(({ name }) => name === `${seconds}`))
      const [first] = renewed.map(({ at }) => (at - MIDNIGHT) / SECOND)
      expect(Math.abs((first ?? 0) - seconds / 3)).toBeLessThanOrEqual(seconds / 60 + 0.001)
    }
    work.end()
  })
})
