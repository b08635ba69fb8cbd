import { describe, expect, it } from 'vitest'
import { LiveNodes } from '../../../../src/scheduler/spread/live-nodes.ts'
import { ManualClock } from '../../../../src/testing/manual-clock.ts'

async function batches(live: LiveNodes, clock: ManualClock, count: number, everyMs: number): Promise<number[]> {
  const labels: number[] = []
  for (let batch = 0; batch < count; batch++) {
    await clock.advance(everyMs)
    labels.push(live.nextBatch().length)
  }
  return labels
}

describe('a label that was seen', () => {
  it('is live for two minutes, if ticks are frequent', async () => {
    const clock = new ManualClock()
    const live = new LiveNodes(clock, 'own')
    live.see('other', 'job')
    const labels = await batches(live, clock, 25, 5_000)
    expect(labels).toEqual([...new Array(23).fill(1), 0, 0])
  })

  it('is live for several ticks, if they are rare', async () => {
    const clock = new ManualClock()
    const live = new LiveNodes(clock, 'own')
    live.see('other', 'job')
    const labels = await batches(live, clock, 12, 24 * 3_600_000)
    expect(labels).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0])
  })

  it('is not live because it is this node itself', () => {
    const live = new LiveNodes(new ManualClock(), 'own')
    live.see('own', 'job')
    expect(live.nextBatch()).toEqual([])
  })

  it('does not have a job of which it left two ticks open, until it takes one', () => {
    const live = new LiveNodes(new ManualClock(), 'own')
    live.see('other', 'a')
    const [node] = live.nextBatch()
    for (const job of ['a', 'a', 'b']) node?.leftOpen(job)
    expect([node?.has('a'), node?.has('b'), node?.has('c')]).toEqual([false, true, true])
    live.see('other', 'a')
    node?.leftOpen('a')
    expect([node?.has('a'), node?.inDoubt]).toEqual([true, true])
  })

  it('is forgotten among thousands that came and went', async () => {
    const clock = new ManualClock()
    const live = new LiveNodes(clock, 'own')
    for (let index = 0; index < 5_000; index++) live.see(`host:${index}`, 'job')
    expect(live.nextBatch()).toHaveLength(5_000)
    await clock.advance(121_000)
    for (let batch = 0; batch < 20_005; batch++) live.nextBatch()
    expect(live.nextBatch()).toEqual([])
  })
})
