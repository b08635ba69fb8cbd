import { describe, expect, it } from 'vitest'
import { isInvalidOption } from '../../../src/errors.ts'
import { Cluster, MIDNIGHT, SECOND, Work } from './cluster.ts'

/** Follows a promise. */
function follow(promise: Promise<unknown>): { settled: boolean } {
  const state = { settled: false }
  promise.then(
    () => {
      state.settled = true
    },
    () => {},
  )
  return state
}

describe('a stop', () => {
  it('before the start closes the provider, and there is no start any more', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    await node.scheduler.stop()
    expect(node.store.callsOf('close')).toHaveLength(1)
    await expect(node.scheduler.start()).rejects.toThrow('Scheduler: it was stopped; make a new one to start again')
  })

  it('twice, also at once, is one', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1s' })
    await cluster.start()
    await Promise.all([node.scheduler.stop(), node.scheduler.stop()])
    await node.scheduler.stop()
    expect(node.store.callsOf('close')).toHaveLength(1)
  })

  it('leaves no timer behind and begins no tick', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1s', keepAlive: true, jitter: '100ms', onCrash: 'rerun', catchUp: 'latest' })
    await cluster.start()
    await cluster.until(2.9)
    await node.scheduler.stop()
    expect(cluster.time.pending).toBe(0)
    const before = node.seen.length
    await cluster.until(10)
    expect(node.seen.length).toBe(before)
  })

  it('while the start waits for the store ends both', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1s' })
    node.store.set('hang')
    const started = follow(node.scheduler.start())
    const stopped = follow(node.scheduler.stop())
    await cluster.until(20)
    expect([started.settled, stopped.settled]).toEqual([true, true])
    expect(cluster.ran).toEqual([])
    expect(cluster.time.pending).toBe(0)
  })

  it('waits for a run that ends within the grace, and releases its lock before the provider is closed', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const work = new Work()
    let signal: AbortSignal | undefined
    cluster.job({ every: '1s' }, (context) => {
      signal = context.signal
      return work.run()
    })
    await cluster.start()
    await cluster.until(0.5)
    const stopped = follow(node.scheduler.stop({ graceFor: '10s' }))
    await cluster.until(9)
    expect([stopped.settled, signal?.aborted]).toEqual([false, false])
    work.end()
    await cluster.time.settle()
    expect([stopped.settled, signal?.aborted]).toEqual([true, false])
    expect(node.store.calls.slice(-2).map(({ verb }) => verb)).toEqual(['release', 'close'])
    expect(cluster.ticks).toEqual([0])
  })

  it('aborts the signal of a run after the grace, and releases its lock when it obeys', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    let reason: unknown
    cluster.job({ every: '1s' }, ({ signal }) => {
      return new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason
          resolve()
        })
      })
    })
    await cluster.start()
    await cluster.until(0.5)
    const stopped = follow(node.scheduler.stop({ graceFor: '2s' }))
    await cluster.until(2.4)
    expect(stopped.settled).toBe(false)
    await cluster.until(2.5)
    expect(reason).toEqual(new Error('the scheduler is stopping, and its grace has passed'))
    expect(stopped.settled).toBe(true)
    expect(node.events('released')).toHaveLength(1)
  })

  it('gives a run whose signal has aborted as long as abortFor says to end, and releases its lock', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const work = new Work()
    cluster.job({ every: '1s' }, work.run)
    await cluster.start()
    await cluster.until(0.5)
    const stopped = follow(node.scheduler.stop({ graceFor: '2s', abortFor: '5s' }))
    await cluster.until(7.4)
    expect(stopped.settled).toBe(false)
    work.end()
    await cluster.time.settle()
    expect(stopped.settled).toBe(true)
    expect(node.events('released')).toHaveLength(1)
  })

  it('leaves the lock of a run that ignores its signal to lapse, with a warning', async () => {
    const cluster = new Cluster()
    const lines: unknown[] = []
    const line = (fields: object, message: string): void => void lines.push({ ...fields, message })
    const node = cluster.node({ logger: { debug() {}, info() {}, warn: line, error() {} } })
    const work = new Work()
    cluster.job({ every: '1s' }, work.run)
    await cluster.start()
    await cluster.until(0.5)
    const stopped = follow(node.scheduler.stop({ graceFor: '2s' }))
    await cluster.until(3.4)
    expect(stopped.settled).toBe(false)
    await cluster.until(3.5)
    expect(stopped.settled).toBe(true)
    expect(lines).toEqual([
      { job: 'job', message: 'job ignores its signal; its lock stays held until the lease expires' },
    ])
    expect(node.store.callsOf('release')).toEqual([])
    expect(cluster.store.locks.get('job')?.lockUntil).toBe(MIDNIGHT + 60 * SECOND)
    work.end()
  })

  it('runs a tick that is granted within its grace: to all others it is taken', async () => {
    const cluster = new Cluster()
    const [node, other] = [cluster.node(), cluster.node()]
    cluster.job({ every: '1m' })
    await cluster.start()
    node.store.set(1 * SECOND, 'acquire')
    await cluster.until(0)
    const stopped = follow(node.scheduler.stop({ graceFor: '5s' }))
    await cluster.until(2)
    expect(cluster.ran).toMatchObject([{ node: 'node1', tick: 0, at: 1 }])
    expect(other.events('skipped')).toHaveLength(1)
    expect(stopped.settled).toBe(true)
  })

  it('gives back what is granted after its grace, and the tick is not marked as done', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1m' })
    await cluster.start()
    node.store.set(500, 'acquire')
    await cluster.until(0)
    const stopped = follow(node.scheduler.stop({ graceFor: 0 }))
    await cluster.until(1.5)
    expect(stopped.settled).toBe(true)
    expect(cluster.ran).toEqual([])
    expect(node.events('missed')).toMatchObject([{ reason: 'stopped' }])
    expect(cluster.store.locks.get('job')).toMatchObject({ lockUntil: MIDNIGHT + 500, tickDone: false })
    expect(node.store.calls.slice(-2).map(({ verb }) => verb)).toEqual(['release', 'close'])
  })

  it('gives a trigger that is granted after its grace a signal that has aborted', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1m' }, ({ signal }) => signal.aborted)
    node.store.set(500, 'acquire')
    const outcome = node.scheduler.trigger('job')
    const stopped = follow(node.scheduler.stop({ graceFor: 0 }))
    await cluster.until(1)
    expect(await outcome).toEqual({ ran: true, value: true })
    expect(stopped.settled).toBe(true)
  })

  it.each(['down', 'hang'] as const)('ends although the store is %s while a tick is asked for', async (fault) => {
    const cluster = new Cluster()
    const node = cluster.node({ storeTimeout: '2s' })
    cluster.job({ every: '1m' })
    await cluster.start()
    node.store.set(fault)
    await cluster.until(1)
    const stopped = follow(node.scheduler.stop())
    await cluster.until(6)
    expect(stopped.settled).toBe(true)
    expect(node.events('missed')).toMatchObject([{ reason: 'stopped' }])
    expect(node.events('store-error').at(-1)).toMatchObject({ action: 'close', job: undefined })
  })

  it('during the jitter of a tick lets it go', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    cluster.job({ every: '1m', jitter: '10s' })
    await cluster.start()
    await cluster.until(1)
    await node.scheduler.stop()
    expect(node.events('missed')).toMatchObject([{ reason: 'stopped' }])
  })

  it('of a scheduler that catches up, retries and watches ends all of it', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const crashed = { name: 'job', owner: 'x', label: 'x', lockAtMostFor: 3_600_000, maxClockSkew: 60_000 }
    await cluster.store.acquire([{ ...crashed, tick: MIDNIGHT - 60_000 }])
    cluster.job({ every: '1m', onCrash: 'rerun', catchUp: { window: '1h', max: 9 } })
    await cluster.start()
    await cluster.until(30)
    node.store.set('down')
    await cluster.until(90)
    const stopped = follow(node.scheduler.stop())
    await cluster.time.settle()
    expect(stopped.settled).toBe(true)
    expect(cluster.time.pending).toBe(0)
  })

  it('leaves the provider open for others when told so', async () => {
    const cluster = new Cluster()
    const node = cluster.node({ keepProviderOpen: true })
    await node.scheduler.stop()
    expect(node.store.callsOf('close')).toEqual([])
  })

  it('comes with await using', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    {
      await using scheduler = node.scheduler
      void scheduler
    }
    expect(node.store.callsOf('close')).toHaveLength(1)
  })

  it('with a wrong option rejects, and stops nothing', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    await expect(node.scheduler.stop({ grace: 1 } as never)).rejects.toSatisfy(isInvalidOption)
    await expect(node.scheduler.stop({ graceFor: -1 })).rejects.toThrow('stop: graceFor must be a duration from 0 ms')
    expect(node.store.callsOf('close')).toEqual([])
  })
})
