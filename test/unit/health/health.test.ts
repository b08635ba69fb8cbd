import { describe, expect, it } from 'vitest'
import { memory } from '../../../providers/memory/memory.ts'
import { type OverdueEvent, watchHealth } from '../../../src/health/index.ts'
import { recordHistory } from '../../../src/history/index.ts'
import type { StoredLock } from '../../../src/provider/decide.ts'
import { Scheduler } from '../../../src/scheduler/scheduler.ts'
import { memoryPoisons } from '../../providers/memory-poisons.ts'
import { Cluster, MIDNIGHT, MINUTE, type Node, SECOND } from '../scheduler/cluster.ts'

function watched(node: Node) {
  const alerts: OverdueEvent[] = []
  const recovered: string[] = []
  const health = watchHealth(node.scheduler, {
    clock: node.clock,
    onOverdue: (event) => {
      alerts.push(event)
      throw new Error('an alert that fails changes nothing')
    },
    onRecovered: ({ job }) => recovered.push(job),
  })
  return { health, alerts, recovered }
}

const FINE = { ok: true, reasons: [] }

describe('a node', () => {
  it('is ready from its start to its stop', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const { health } = watched(node)
    cluster.job({ every: '10s' })
    expect(health.ready()).toEqual({ ok: false, reasons: ['the scheduler has not started'] })
    expect(health.live()).toEqual(FINE)
    await cluster.start()
    await cluster.until(1)
    expect(health.ready()).toEqual(FINE)
    void node.scheduler.stop()
    expect(health.ready()).toEqual({ ok: false, reasons: ['the scheduler is stopping'] })
  })

  it('is not ready, but live, while the store does not answer, and says since when', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const { health } = watched(node)
    cluster.job({ every: '10s' })
    await cluster.start()
    await cluster.until(5)
    node.store.set('down')
    await cluster.until(15)
    expect(health.ready()).toEqual({
      ok: false,
      reasons: ['the store has not answered since 2024-01-01T00:00:10.000Z'],
    })
    expect(health.live()).toEqual(FINE)
    node.store.set('up')
    await cluster.until(20.5)
    expect(health.ready()).toEqual(FINE)
  })

  it('whose ticks are stuck is neither live nor ready', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const { health } = watched(node)
    cluster.job({ every: '10s' })
    await cluster.start()
    await cluster.until(5)
    // Its timers don't fire, but time goes on: as when the event loop hangs and then answers one request.
    const { now, monotonic } = node.clock
    Object.assign(node.clock, {
      now: () => now.call(node.clock) + MINUTE,
      monotonic: () => monotonic.call(node.clock) + MINUTE,
    })
    for (const report of [health.live(), health.ready()])
      expect(report).toEqual({
        ok: false,
        reasons: ['ticks are late: one has been due since 2024-01-01T00:00:10.000Z'],
      })
  })
})

describe('a job that is expected to succeed', () => {
  it('is looked at again after a store has left one look without a response', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const { alerts } = watched(node)
    cluster.job({ name: 'report', every: '1h', expectEvery: '25s' })
    await cluster.start()
    node.store.set('hang', 'read')
    await cluster.until(35)
    node.store.set('up')
    await cluster.until(MINUTE / SECOND)
    expect(alerts.map(({ job }) => job)).toEqual(['report'])
  })

  it('and does not is told once, and once more when it does again', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const { health, alerts, recovered } = watched(node)
    let broken = false
    cluster.job({ name: 'report', every: '10s', expectEvery: '25s' }, () => {
      if (broken) throw new Error('boom')
    })
    await cluster.start()
    await cluster.until(21)
    broken = true
    await cluster.until(44)
    expect([health.ready(), alerts]).toEqual([FINE, []])
    await cluster.until(95)
    expect(alerts).toEqual([
      {
        job: 'report',
        expectEvery: 25 * SECOND,
        lastSuccess: new Date(MIDNIGHT + 20 * SECOND),
        since: new Date(MIDNIGHT + 45 * SECOND),
      },
    ])
    // One job is no reason to take this node, and every other, out of service.
    expect([health.ready(), health.live()]).toEqual([FINE, FINE])
    expect(health.report()).toEqual({
      ok: false,
      reasons: ['job "report" has not succeeded since 2024-01-01T00:00:20.000Z'],
    })
    expect(health.overdue).toHaveLength(1)
    broken = false
    await cluster.until(101)
    expect([health.report(), recovered]).toEqual([FINE, ['report']])
  })

  it.each([true, false])('counts what other nodes did, with history: %s', async (withHistory) => {
    const cluster = new Cluster()
    const [a, b] = [cluster.node(), cluster.node()]
    const { history } = cluster.store
    if (withHistory) {
      for (const { scheduler, clock } of [a, b]) {
        recordHistory(scheduler, { history, clock })
        Object.assign(scheduler.provider, { history })
      }
    }
    const { alerts } = watched(b)
    cluster.job({ every: '10s', expectEvery: '25s' })
    await cluster.start()
    // The second node is refused each tick.
    b.store.set(300, 'acquire')
    await cluster.until(100)
    expect(new Set(cluster.ran.slice(1).map(({ node }) => node))).toEqual(new Set(['node1']))
    expect(alerts).toEqual([])
    a.store.set('down')
    b.store.set('down', 'acquire')
    await cluster.until(160)
    expect(alerts).toHaveLength(1)
  })

  it('reads the history of a few jobs at a time: locks need the connections, too', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    let [reading, most, reads] = [0, 0, 0]
    const read = async (): Promise<[]> => {
      reads++
      most = Math.max(most, ++reading)
      await new Promise(setImmediate)
      reading--
      return []
    }
    Object.assign(node.scheduler.provider, { history: { ...cluster.store.history, read } })
    watched(node)
    for (let count = 0; count < 20; count++)
      cluster.job({ name: `job ${count}`, every: '10s', expectEvery: '25s' }, () => {
        throw new Error('boom')
      })
    await cluster.start()
    await cluster.until(60)
    expect(reads).toBeGreaterThanOrEqual(20)
    expect(most).toBeLessThanOrEqual(2)
  })

  it('accuses nobody while the store can not tell what others did', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const { alerts, health } = watched(node)
    cluster.job({ every: '10s', expectEvery: '25s' })
    await cluster.start()
    await cluster.until(1)
    node.store.set('down')
    await cluster.until(100)
    expect(alerts).toEqual([])
    expect(health.report().reasons).toHaveLength(1)
  })
})

describe('a job whose record can not be read', () => {
  it('is reported with the remedy, beside others that run, until it is repaired', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const { health } = watched(node)
    cluster.job({ name: 'good', every: '10s' })
    cluster.job({ name: 'bad', every: '10s' })
    await cluster.start()
    await cluster.until(1)
    memoryPoisons(cluster.store.locks as Map<string, StoredLock>)['a time out of range']?.('bad')
    await cluster.until(25)
    expect(cluster.ran.filter(({ job }) => job === 'good').map(({ tick }) => tick)).toEqual([0, 10, 20])
    expect([health.ready(), health.live()]).toEqual([FINE, FINE])
    expect(health.report().reasons).toEqual([
      expect.stringMatching(/^job "bad" missed its last tick: .* can't be read: .* ticklock reset bad$/),
    ])
    await cluster.store.reset({ name: 'bad', maxClockSkew: MINUTE })
    await cluster.until(31)
    expect(health.report()).toEqual(FINE)
  })

  it('is not named while the whole store is down', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const { health } = watched(node)
    for (let index = 0; index < 50; index++) cluster.job({ name: `job-${index}`, every: '10s' })
    await cluster.start()
    await cluster.until(5)
    node.store.set('down')
    await cluster.until(35)
    expect(health.report().reasons).toEqual([expect.stringMatching(/^the store has not answered since/)])
  })

  it('is one of twenty that are named', async () => {
    const cluster = new Cluster()
    const { health } = watched(cluster.node())
    const poison = memoryPoisons(cluster.store.locks as Map<string, StoredLock>)['no holder']
    for (let index = 0; index < 50; index++) {
      cluster.job({ name: `job-${index}`, every: '10s' })
      poison?.(`job-${index}`)
    }
    cluster.job({ name: 'good', every: '10s' })
    await cluster.start()
    await cluster.until(25)
    const { reasons } = health.report()
    expect([reasons.length, reasons.at(-1)]).toEqual([21, 'and 30 more such jobs'])
  })
})

it('refuses a wrong option', () => {
  const scheduler = new Scheduler({ provider: memory() })
  expect(() => watchHealth(scheduler, { lateAfter: 1 })).toThrow('watchHealth: lateAfter must be a duration from 1000')
  expect(() => watchHealth(scheduler, { onOverdue: 'mail' as never })).toThrow('onOverdue must be a function')
})
