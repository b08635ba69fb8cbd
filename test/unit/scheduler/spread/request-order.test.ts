import { describe, expect, it } from 'vitest'
import { RequestOrder, waitFor } from '../../../../src/scheduler/spread/request-order.ts'
import type { Tick, TickRequest } from '../../../../src/scheduler/tick/tick.ts'
import { ManualClock } from '../../../../src/testing/manual-clock.ts'

const TICK = Date.UTC(2024, 0, 1)
const clock = new ManualClock({ now: TICK })

const tickOf = (name: string): Tick => ({ job: { name }, kind: 'schedule', time: TICK }) as Tick
const batchOf = (count: number, left = 10_000): TickRequest[] =>
  Array.from({ length: count }, (_, index) => ({ tick: tickOf(`job-${index}`), until: clock.monotonic() + left }))

/** The order of requests of a node that knows the others. */
function orderOf(label: string, others: readonly string[], random = 0.99): RequestOrder {
  const order = new RequestOrder({ clock, label, random: () => random, spread: true })
  for (const other of others) order.taken(tickOf('job-0'), other)
  return order
}

const labels = (count: number): string[] => Array.from({ length: count }, (_, index) => `host-${index}:1`)
const namesIn = (asks: readonly TickRequest[] | undefined): string[] => (asks ?? []).map(({ tick }) => tick.job.name)

describe('the first choices of nodes that know each other', () => {
  it.each([2, 4, 20])('are each tick once, with equal shares: %i nodes', (count) => {
    const all = labels(count)
    const names = all.flatMap((label) => {
      const first = namesIn(orderOf(label, all).of(batchOf(400), TICK).get(0))
      expect(first.length).toBeLessThanOrEqual(Math.ceil((400 / count) * 1.1))
      return first
    })
    expect(names.length).toBe(400)
    expect(new Set(names).size).toBe(400)
  })

  it('do not depend on the order in which jobs were registered', () => {
    const all = labels(3)
    const first = (batch: TickRequest[]): string[] =>
      namesIn(
        orderOf(all[0] as string, all)
          .of(batch, TICK)
          .get(0),
      ).sort()
    expect(first(batchOf(60).reverse())).toEqual(first(batchOf(60)))
  })

  it('of a thousand nodes leave each its own tick or two', () => {
    const all = labels(1_000)
    const first = namesIn(orderOf('host-7:1', all).of(batchOf(1_000), TICK).get(0))
    expect(first.length).toBeLessThanOrEqual(2)
  })
})

describe('a node that comes later', () => {
  it.each([
    ['the first of two', { place: 0, nodes: 2, batch: 40, left: 10_000 }, 50],
    ['the last of two', { place: 1, nodes: 2, batch: 40, left: 10_000 }, 100],
    ['the last of four', { place: 3, nodes: 4, batch: 40, left: 10_000 }, 200],
    ['the last of twenty', { place: 19, nodes: 20, batch: 40, left: 10_000 }, 500],
    ['the last of a thousand', { place: 999, nodes: 1_000, batch: 40, left: 10_000 }, 500],
    ['one alone', { place: 0, nodes: 1, batch: 40, left: 10_000 }, 50],
    ['the first, in a hurry', { place: 0, nodes: 4, batch: 40, left: 100 }, 12.5],
    ['the last, in a hurry', { place: 3, nodes: 4, batch: 40, left: 100 }, 25],
    ['the first, with a large batch', { place: 0, nodes: 20, batch: 4_000, left: 10_000 }, 400],
    ['the last, with a large batch', { place: 19, nodes: 20, batch: 4_000, left: 10_000 }, 800],
    ['the last, with a huge batch', { place: 19, nodes: 20, batch: 100_000, left: 10_000 }, 1_250],
  ])('%s', (_, wait, ms) => {
    expect(waitFor(wait)).toBeCloseTo(ms)
  })

  it('never waits longer than a quarter of the time left', () => {
    for (const left of [1, 100, 400, 2_000, 30_000])
      for (const nodes of [1, 2, 20, 1_000])
        for (const batch of [1, 1_000, 100_000])
          expect(waitFor({ place: nodes - 1, nodes, batch, left })).toBeLessThanOrEqual(left / 4 + 1e-9)
  })

  it('waits from the tick on, and not from when it came to it', () => {
    const order = orderOf('a', ['b'])
    const [, later] = [...order.of(batchOf(40), TICK).keys()]
    expect([...order.of(batchOf(40), TICK + 30).keys()]).toEqual([0, (later as number) - 30])
    expect([...order.of(batchOf(40), TICK + 150).keys()]).toEqual([0])
  })
})

describe('a node whose store, or which itself, is slow', () => {
  const waits = (order: RequestOrder, left?: number): number[] => [...order.of(batchOf(40, left), TICK).keys()]

  it('requests all at once, but only where a later request might come too late', () => {
    const order = orderOf('a', ['b'])
    order.responded(1_300)
    expect(waits(order, 5_000)).toEqual([0])
    order.responded(1_300)
    expect(waits(order, 30_000)).toHaveLength(2)
  })

  it('shares again when calls are fast again', () => {
    const order = orderOf('a', ['b'])
    order.responded(5_000)
    const counts = Array.from({ length: 4 }, () => waits(order, 5_000).length)
    expect(counts).toEqual([1, 1, 1, 2])
  })
})

describe('a node that knows nobody', () => {
  it('requests all at once, in the order in which they are due', () => {
    const batch = batchOf(40)
    expect([...orderOf('a', []).of(batch, TICK)]).toEqual([[0, batch]])
  })

  it('leaves a few to others now and then', () => {
    const order = orderOf('a', [], 0.4)
    const probe = order.of(batchOf(40), TICK)
    expect([probe.get(0)?.length, probe.get(50)?.length]).toEqual([35, 5])
    expect(order.of(batchOf(500), TICK).get(50)?.length).toBe(8)
    expect(order.of(batchOf(1), TICK).get(50)?.length).toBe(1)
  })
})

it('an order for 10,000 ticks and 20 nodes takes milliseconds', () => {
  const all = labels(20)
  const order = orderOf('host-0:1', all)
  const batch = batchOf(10_000)
  const times = Array.from({ length: 20 }, () => {
    const { user, system } = process.cpuUsage()
    order.of(batch, TICK)
    const used = process.cpuUsage({ user, system })
    return (used.user + used.system) / 1_000
  })
  expect(Math.min(...times)).toBeLessThan(30)
})
