import { describe, expect, it } from 'vitest'
import { memory } from '../../../providers/memory/memory.ts'
import { type HistoryOptions, recordHistory } from '../../../src/history/index.ts'
import type { HistoryEntry, RecordedEntry, RunHistory } from '../../../src/provider/history.ts'
import { Scheduler } from '../../../src/scheduler/scheduler.ts'
import { Cluster, MIDNIGHT, type Node, SECOND, Work } from '../scheduler/cluster.ts'

/** A cluster whose nodes keep history in the one store. */
class Recorded {
  readonly cluster = new Cluster()
  readonly history: RunHistory
  /** What the store does instead of writing, if anything. */
  instead: (() => Promise<void>) | undefined
  writes: (readonly HistoryEntry[])[] = []

  constructor() {
    const { history } = this.cluster.store
    if (!history) throw new Error('memory keeps history')
    this.history = {
      ...history,
      write: async (entries, node) => {
        this.writes.push(entries)
        if (this.instead) await this.instead()
        await history.write(entries, node)
      },
    }
  }

  node(options: HistoryOptions = {}): Node {
    const node = this.cluster.node()
    recordHistory(node.scheduler, { history: this.history, clock: node.clock, ...options })
    return node
  }

  async entries(): Promise<readonly RecordedEntry[]> {
    return this.history.read({ limit: 1_000 })
  }

  async outcomes(): Promise<string[]> {
    return (await this.entries()).map(({ node, outcome, reason }) => [node, outcome, reason].filter(Boolean).join(' '))
  }
}

describe('the history of a scheduler', () => {
  it('has one entry for a run: while it runs, and when it has ended', async () => {
    const recorded = new Recorded()
    recorded.node()
    const work = new Work()
    recorded.cluster.job({ every: '1m' }, work.run)
    await recorded.cluster.start()
    await recorded.cluster.until(3)
    const [begun, ...none] = await recorded.entries()
    expect(none).toEqual([])
    expect(begun).toMatchObject({
      job: 'job',
      node: 'node1',
      kind: 'schedule',
      outcome: 'running',
      scheduledAt: MIDNIGHT,
    })
    expect(begun?.duration).toBeUndefined()
    work.end()
    await recorded.cluster.until(5)
    const [ended, ...more] = await recorded.entries()
    expect(more).toEqual([])
    expect(ended).toMatchObject({
      id: begun?.id,
      outcome: 'succeeded',
      at: begun?.at,
      fencingToken: begun?.fencingToken,
    })
    expect(ended?.duration).toBeCloseTo(3 * SECOND, -2)
  })

  it('writes a run that was short once, and what happens within a second together', async () => {
    const recorded = new Recorded()
    recorded.node()
    for (const name of ['a', 'b', 'c']) recorded.cluster.job({ name, every: '1m' })
    await recorded.cluster.start()
    await recorded.cluster.until(5)
    expect(recorded.writes.filter((entries) => entries.length > 0).map((entries) => entries.length)).toEqual([3])
  })

  it('tells a failure by a short text, and a lost lock as lost', async () => {
    const recorded = new Recorded()
    const node = recorded.node()
    const work = new Work()
    recorded.cluster.job({ name: 'fails', every: '1m' }, () => {
      throw new TypeError('no\nway')
    })
    recorded.cluster.job({ name: 'loses', every: '1m', lockAtMostFor: '5s' }, work.run)
    await recorded.cluster.start()
    await recorded.cluster.until(1)
    node.store.set('down', 'acquire', 'release')
    await recorded.cluster.until(8)
    work.end()
    await recorded.cluster.until(10)
    const byJob = Object.fromEntries((await recorded.entries()).map((entry) => [entry.job, entry]))
    expect(byJob.fails).toMatchObject({ outcome: 'failed', error: 'TypeError: no' })
    expect(byJob.loses).toMatchObject({ outcome: 'lost', error: expect.stringContaining('LockLostError') })
  })

  it.each<[NonNullable<HistoryOptions['skips']>, string[]]>([
    ['none', ['node1 succeeded']],
    ['unusual', ['node1 succeeded']],
    ['all', ['node1 succeeded', 'node2 skipped tick-taken']],
  ])('keeps of skipped ticks what it is told to: %s', async (skips, expected) => {
    const recorded = new Recorded()
    recorded.node({ skips })
    recorded.node({ skips })
    recorded.cluster.job({ every: '1m' })
    await recorded.cluster.start()
    await recorded.cluster.until(5)
    expect((await recorded.outcomes()).sort()).toEqual(expected)
  })

  it('keeps that ticks were skipped since the job was paused or still ran, and missed, and why', async () => {
    const recorded = new Recorded()
    const node = recorded.node()
    const work = new Work()
    recorded.cluster.job({ every: '10s', graceFor: '2s' }, work.run)
    await recorded.cluster.start()
    await recorded.cluster.until(15)
    work.end()
    await node.scheduler.pause('job')
    await recorded.cluster.until(25)
    await node.scheduler.resume('job')
    node.store.set('down', 'acquire')
    await recorded.cluster.until(35)
    expect(await recorded.outcomes()).toEqual([
      'node1 missed store-error',
      'node1 skipped paused',
      'node1 skipped running',
      'node1 succeeded',
    ])
    expect((await recorded.entries())[0]?.error).toContain('ECONNREFUSED')
  })

  it('says that its node lives, and at the end that it ends, before the provider is closed', async () => {
    const recorded = new Recorded()
    const node = recorded.node({ writeEvery: '30s' })
    recorded.cluster.job({ every: '1m' })
    await recorded.cluster.start()
    await recorded.cluster.until(31)
    expect(await recorded.history.nodes()).toMatchObject([{ label: 'node1', stopped: false, running: 0 }])
    await recorded.cluster.until(61)
    const stopped = node.scheduler.stop()
    await recorded.cluster.until(62)
    await stopped
    expect(await recorded.history.nodes()).toMatchObject([{ label: 'node1', stopped: true }])
    expect(await recorded.entries()).toHaveLength(2)
    expect(node.store.calls.at(-1)?.verb).toBe('close')
  })
})

describe('a store that takes no history', () => {
  it('holds up no run; what waits is written when it is back', async () => {
    const recorded = new Recorded()
    const errors: unknown[] = []
    recorded.node({ onError: (error) => errors.push(error) })
    recorded.cluster.job({ every: '10s' })
    await recorded.cluster.start()
    recorded.instead = () => Promise.reject(new Error('disk full'))
    await recorded.cluster.until(25)
    expect(recorded.cluster.ticks).toEqual([0, 10, 20])
    expect(errors.length).toBeGreaterThan(3)
    recorded.instead = undefined
    await recorded.cluster.until(28)
    expect(await recorded.outcomes()).toEqual(['node1 succeeded', 'node1 succeeded', 'node1 succeeded'])
  })

  it('that never answers holds up neither runs nor the next writes nor the stop', async () => {
    const recorded = new Recorded()
    const node = recorded.node()
    recorded.cluster.job({ every: '10s' })
    await recorded.cluster.start()
    recorded.instead = () => new Promise(() => {})
    await recorded.cluster.until(12)
    recorded.instead = undefined
    await recorded.cluster.until(18)
    expect(await recorded.outcomes()).toEqual(['node1 succeeded', 'node1 succeeded'])
    recorded.instead = () => new Promise(() => {})
    let stopped = false
    void node.scheduler.stop().then(() => {
      stopped = true
    })
    await recorded.cluster.until(45)
    expect(stopped).toBe(true)
  })

  it('for too long costs the newest entries, which are counted and told', async () => {
    const recorded = new Recorded()
    let dropped = 0
    recorded.node({ maxQueued: 10, onDropped: (event) => (dropped += event.dropped) })
    recorded.cluster.job({ every: '1s' })
    await recorded.cluster.start()
    recorded.instead = () => Promise.reject(new Error('disk full'))
    await recorded.cluster.until(15.5)
    recorded.instead = undefined
    await recorded.cluster.until(18.5)
    const kept = (await recorded.entries()).length
    expect(recorded.cluster.ran).toHaveLength(19)
    expect(dropped).toBeGreaterThan(3)
    expect(kept + dropped).toBe(19)
  })
})

describe('recordHistory', () => {
  it('refuses a wrong option, and a provider that keeps no history', () => {
    const scheduler = new Scheduler({ provider: memory() })
    expect(() => recordHistory(scheduler, { keepFor: '1s' })).toThrow(
      'recordHistory: keepFor must be a duration from 60000',
    )
    expect(() => recordHistory(scheduler, { maxEntries: 1 })).toThrow('maxEntries must be a whole number from 100')
    expect(() => recordHistory(scheduler, { skips: 'some' as never })).toThrow('skips must be "unusual" or')
    const { history: _, ...provider } = memory()
    expect(() => recordHistory(new Scheduler({ provider }))).toThrow('the provider keeps no history')
  })
})
