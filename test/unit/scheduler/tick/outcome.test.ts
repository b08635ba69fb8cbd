import { describe, expect, it } from 'vitest'
import { Cluster, MIDNIGHT, SECOND, Work } from '../cluster.ts'

describe('a tick', () => {
  it('runs on exactly one of three nodes, and the others skip it', async () => {
    const cluster = new Cluster()
    const nodes = [cluster.node(), cluster.node(), cluster.node()]
    cluster.job({ every: '1s' })
    await cluster.start()
    await cluster.until(3.9)
    expect(cluster.ticks).toEqual([0, 1, 2, 3])
    expect(new Set(cluster.ran.map(({ token }) => token)).size).toBe(4)
    expect(nodes.flatMap((node) => node.ticksOf('skipped')).sort()).toEqual([0, 0, 1, 1, 2, 2, 3, 3])
    expect(nodes.flatMap((node) => node.events('skipped')).every(({ reason }) => reason === 'tick-taken')).toBe(true)
  })

  it('is told from beginning to end, in order', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1s' })
    await cluster.start()
    await cluster.until(0)
    expect(node.story()).toEqual(['tick', 'acquired', 'started', 'succeeded', 'released'])
  })

  it('tells the job its nominal time and the real one, its lock and token', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    let context: unknown
    node.store.set(40, 'acquire')
    cluster.job({ every: '1s' }, (given) => {
      const { name, scheduledAt, firedAt, lock, fencingToken, signal } = given
      context = { name, scheduledAt, firedAt: firedAt.getTime() - MIDNIGHT, lock: lock?.name, aborted: signal.aborted }
      expect(fencingToken).toBe(lock?.fencingToken)
    })
    await cluster.start()
    await cluster.until(0.5)
    const scheduledAt = new Date(MIDNIGHT)
    expect(context).toEqual({ name: 'job', scheduledAt, firedAt: 40, lock: 'job', aborted: false })
  })

  it('of 10,000 jobs that are due at once costs one call', { timeout: 60_000 }, async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    let ran = 0
    for (let index = 0; index < 10_000; index++) {
      node.scheduler.job({ name: `job ${index}`, every: '1m', lockAtMostFor: '1m' }, () => ran++)
    }
    await cluster.start()
    await cluster.until(0)
    expect(node.store.callsOf('acquire').map(({ batch }) => batch.length)).toEqual([10_000])
    expect(node.store.callsOf('release').map(({ batch }) => batch.length)).toEqual([10_000])
    expect(ran).toBe(10_000)
  })

  it('is skipped without asking the store while the job still runs here', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const work = new Work()
    cluster.job({ every: '1s', lockAtMostFor: '1h' }, work.run)
    await cluster.start()
    await cluster.until(2)
    expect(node.story()).toEqual(['tick', 'acquired', 'started', 'tick', 'skipped running', 'tick', 'skipped running'])
    expect(node.store.callsOf('acquire')).toHaveLength(1)
    work.end()
    await cluster.until(3)
    expect(cluster.ticks).toEqual([0, 3])
  })

  it('is skipped with the name of the holder while the job runs elsewhere', async () => {
    const cluster = new Cluster()
    const [, second] = [cluster.node(), cluster.node()]
    const work = new Work()
    cluster.job({ every: '1s', lockAtMostFor: '1h' }, work.run)
    await cluster.start()
    await cluster.until(1)
    const heldUntil = new Date(MIDNIGHT + 3600 * SECOND)
    expect(second?.events('skipped').at(-1)).toEqual({
      name: 'skipped',
      job: 'job',
      kind: 'schedule',
      scheduledAt: new Date(MIDNIGHT + SECOND),
      reason: 'held',
      heldBy: 'node1',
      heldUntil,
    })
    work.end()
  })

  it('is held for lockAtLeastFor after a short run', async () => {
    const cluster = new Cluster()
    cluster.node()
    cluster.job({ every: '1s', lockAtLeastFor: '2500ms' })
    await cluster.start()
    await cluster.until(6)
    expect(cluster.ticks).toEqual([0, 3, 6])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken')
      },
      new Error('broken'),
    ],
    [
      'rejects',
      async () => {
        throw new Error('broken')
      },
      new Error('broken'),
    ],
    [
      'throws nothing at all',
      () => {
        throw undefined
      },
      undefined,
    ],
    ['rejects with nothing at all', () => Promise.reject(), undefined],
  ])('whose job %s is told as failed, its lock is freed, and the next one runs', async (_, work, error) => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1s' }, work)
    await cluster.start()
    await cluster.until(1)
    const once = ['tick', 'acquired', 'started', 'failed', 'released']
    expect(node.events('failed')[0]?.error).toEqual(error)
    expect(node.story()).toEqual([...once, ...once])
    expect(cluster.store.locks.get('job')?.tickDone).toBe(true)
  })

  it('is asked for later by jitter, at its own time all the same', async () => {
    const cluster = new Cluster()
    const first = cluster.node({ random: () => 0.25 })
    const second = cluster.node({ random: () => 0.75 })
    cluster.job({ every: '10s', jitter: '2s' })
    await cluster.start()
    await cluster.until(5)
    const asked = [first, second].map((node) => node.store.callsOf('acquire').map(({ at }) => at - MIDNIGHT))
    expect(asked).toEqual([[500], [1500]])
    expect(cluster.ran).toMatchObject([{ node: 'node1', tick: 0, at: 0.5 }])
  })

  it('leaves time to ask, however long the jitter', async () => {
    const cluster = new Cluster()
    const node = cluster.node({ random: () => 0.999 })
    node.store.set(100, 'acquire')
    cluster.job({ every: '2s', jitter: '1h' })
    await cluster.start()
    await cluster.until(5.5)
    expect(cluster.ticks).toEqual([0, 2, 4])
  })

  it('of many jobs with jitter makes no warning of leaking listeners', async () => {
    const warnings: string[] = []
    const listen = (warning: Error): void => void warnings.push(warning.name)
    process.on('warning', listen)
    const cluster = new Cluster()
    cluster.node()
    for (let index = 0; index < 50; index++) cluster.job({ name: `job ${index}`, every: '10s', jitter: '2s' })
    await cluster.start()
    await cluster.until(0)
    await cluster.until(5)
    process.off('warning', listen)
    expect(cluster.ran).toHaveLength(50)
    expect(warnings).toEqual([])
  })

  it('does not cost the process its memory', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '10ms' })
    await cluster.start()
    await cluster.until(1)
    const pending = cluster.time.pending
    await cluster.until(6)
    expect(cluster.ran.length).toBe(650)
    expect(cluster.time.pending).toBe(pending)
    expect(node.scheduler.jobs).toEqual(['job'])
  })
})
