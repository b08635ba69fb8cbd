import { describe, expect, it } from 'vitest'
import { sleep } from '../../../../src/clock.ts'
import { markStillRunning } from '../../../../src/scheduler/tick/still-running.ts'
import { Cluster } from '../cluster.ts'

/** A job on two nodes that fails a second after its start, and whose work goes on in spite of it until `end` is called. */
async function goingOn(options: { readonly lockAtMostFor: string; readonly onCrash?: 'rerun' }) {
  const cluster = new Cluster()
  const node = cluster.node()
  cluster.node()
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  cluster.job({ every: '1m', keepAlive: true, ...options }, async () => {
    await sleep(cluster.time, 1_000)
    throw markStillRunning(new Error('late'), ended)
  })
  await cluster.start()
  return { cluster, node, end, record: () => cluster.store.locks.get('job') }
}

describe('a run that failed but could not be ended', () => {
  it('is told as failed at once; its lock is not renewed any more, and not released before its end', async () => {
    const { cluster, record, end } = await goingOn({ lockAtMostFor: '9s' })
    await cluster.until(2)
    const [ran] = cluster.nodes.filter((node) => node.events('started').length > 0)
    expect(ran?.events('failed')).toMatchObject([{ error: { message: 'late' } }])
    await cluster.until(7)
    expect(cluster.nodes.flatMap((node) => node.events('extended'))).toEqual([])
    expect(ran?.events('released')).toEqual([])
    end()
    await cluster.until(7.5)
    expect(ran?.events('released')).toHaveLength(1)
    expect(record()).toMatchObject({ tickDone: true })
  })

  it('that never ends keeps its lock for its lease; the tick is done then, and the next one runs', async () => {
    const { cluster } = await goingOn({ lockAtMostFor: '9s', onCrash: 'rerun' })
    await cluster.until(7.5)
    expect(cluster.nodes.flatMap((node) => node.events('released'))).toEqual([])
    await cluster.until(8.5)
    expect(cluster.nodes.flatMap((node) => node.events('released'))).toHaveLength(1)
    await cluster.until(62)
    expect(cluster.ticks).toEqual([0, 60])
    expect(cluster.nodes.flatMap((node) => node.events('lost'))).toEqual([])
  })

  it.each([
    ['ends', 25, [0, 30]],
    ['never ends', undefined, [0, 30]],
  ])(
    'and has no lock keeps its name for its lease at most, so no other run overlaps it (%s)',
    async (_, endAt, ticks) => {
      const cluster = new Cluster()
      const node = cluster.node()
      node.store.set('down')
      let going = 0
      const overlaps: number[] = []
      cluster.job({ every: '10s', lockAtMostFor: '25s', graceFor: '1s', onStoreError: 'run' }, async () => {
        if (going > 0) overlaps.push(cluster.now)
        going++
        const ended = sleep(cluster.time, (endAt ?? 1_000) * 1_000).then(() => {
          going--
        })
        await sleep(cluster.time, 500)
        throw markStillRunning(new Error('late'), ended)
      })
      await cluster.start()
      await cluster.until(20)
      expect([cluster.ticks, overlaps, node.ticksOf('skipped')]).toEqual([[0], [], [10, 20]])
      expect(node.events('skipped')).toMatchObject([{ reason: 'running' }, { reason: 'running' }])
      await cluster.until(39)
      expect(cluster.ticks).toEqual(ticks)
    },
  )
})
