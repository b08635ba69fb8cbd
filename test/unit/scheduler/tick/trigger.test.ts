import { describe, expect, it } from 'vitest'
import { isInvalidOption, isStoreError } from '../../../../src/errors.ts'
import { Cluster, MIDNIGHT, Work } from '../cluster.ts'

describe('a trigger', () => {
  it('runs the job now, under its lock, and answers what it returns', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1m' }, ({ lock }) => `under ${lock?.name}`)
    await cluster.until(-0.25)
    expect(await node.scheduler.trigger('job')).toEqual({ ran: true, value: 'under job' })
    expect(node.events('started')).toMatchObject([{ kind: 'trigger', scheduledAt: new Date(MIDNIGHT - 250) }])
    expect(node.story()).toEqual(['acquired', 'started', 'succeeded', 'released'])
  })

  it('takes no tick', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1m' })
    await cluster.start()
    await node.scheduler.trigger('job')
    expect(cluster.store.locks.get('job')?.lastTick).toBeUndefined()
    await cluster.until(1)
    await node.scheduler.trigger('job')
    await cluster.until(60)
    expect(cluster.ran.filter(({ kind }) => kind === 'schedule').map(({ tick }) => tick)).toEqual([0, 60])
    expect(cluster.store.locks.get('job')?.lastTick).toBe(MIDNIGHT + 60_000)
  })

  it('does nothing while the job runs here, and says so', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const work = new Work()
    cluster.job({ every: '1m' }, work.run)
    await cluster.start()
    await cluster.until(1)
    const outcome = await node.scheduler.trigger('job')
    expect(outcome).toEqual({ ran: false, reason: 'running', heldBy: undefined, heldUntil: undefined })
    expect(node.events('skipped')).toMatchObject([{ kind: 'trigger', reason: 'running' }])
    work.end()
  })

  it('does nothing when a run has begun meanwhile and goes on though its lock was taken away', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const work = new Work()
    cluster.job({ every: '1m' }, work.run)
    await cluster.start()
    await cluster.until(-0.1)
    node.store.set({ delivered: 1_000 }, 'acquire')
    const outcome = node.scheduler.trigger('job')
    await cluster.time.settle()
    node.store.set('up')
    await cluster.until(0.5)
    await cluster.store.forceRelease('job')
    await cluster.until(1)
    expect(await outcome).toMatchObject({ ran: false, reason: 'running' })
    expect(work.going).toBe(1)
    expect(cluster.store.locks.get('job')?.lockUntil).toBeLessThanOrEqual(MIDNIGHT + 1_000)
    work.end()
  })

  it('does nothing while the job runs elsewhere, and says where and until when', async () => {
    const cluster = new Cluster()
    const [first, second] = [cluster.node(), cluster.node()]
    const work = new Work()
    cluster.job({ every: '1m' }, work.run)
    await cluster.start(first)
    await cluster.until(1)
    const heldUntil = new Date(MIDNIGHT + 60_000)
    expect(await second.scheduler.trigger('job')).toEqual({ ran: false, reason: 'held', heldBy: 'node1', heldUntil })
    expect(second.events('skipped')).toMatchObject([{ kind: 'trigger', reason: 'held', heldBy: 'node1' }])
    work.end()
  })

  it('rejects with what the job throws, which is told as ever', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const error = new Error('broken')
    cluster.job({ every: '1m' }, () => Promise.reject(error))
    await expect(node.scheduler.trigger('job')).rejects.toBe(error)
    expect(node.story()).toEqual(['acquired', 'started', 'failed', 'released'])
  })

  it('rejects for a job that is not there, and after the stop', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1m' })
    await expect(node.scheduler.trigger('other')).rejects.toSatisfy(isInvalidOption)
    await node.scheduler.stop()
    await expect(node.scheduler.trigger('job')).rejects.toThrow('job "job": the scheduler was stopped')
  })

  it('rejects with StoreError, and tells it, when the store fails', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1m' })
    node.store.set('down')
    await expect(node.scheduler.trigger('job')).rejects.toSatisfy(isStoreError)
    expect(node.events('store-error')).toMatchObject([{ action: 'acquire', job: 'job' }])
  })
})
