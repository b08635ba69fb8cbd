import { describe, expect, it } from 'vitest'
import { cells, periodOf } from '../../../bench/growth/cells.ts'
import { figure } from '../../../bench/harness/result.ts'
import { pointsOf } from '../../../bench/plots/points.ts'

describe('cost as it grows', () => {
  it('goes from the smallest company to the largest in each place, the smaller ones first', () => {
    for (const sizes of Object.values(cells))
      for (const nodes of new Set(sizes.map((size) => size.nodes))) {
        const jobs = sizes.filter((size) => size.nodes === nodes).map((size) => size.jobs)
        expect(jobs).toEqual([...jobs].sort((a, b) => a - b))
      }
    const all = Object.values(cells).flat()
    expect([...new Set(all.map(({ nodes }) => nodes))].sort((a, b) => a - b)).toEqual([1, 5, 20, 100])
    expect([...new Set(all.map(({ jobs }) => jobs))].sort((a, b) => a - b)).toEqual([10, 100, 1_000, 10_000, 100_000])
  })

  it('takes some six minutes: one tick that does not count and three that do, after one that is waited for at most', () => {
    const ticks = Object.values(cells).flat().map(periodOf)
    expect(5 * ticks.reduce((sum, period) => sum + period, 0)).toBeLessThan(6.5 * 60_000)
  })

  it('is drawn from the figures of the row, without what a logarithmic scale has no place for', () => {
    const name = (size: string): string => `growth: until all are decided, ${size}`
    const results = [
      figure(name('10 jobs × 1 node'), 'redis', 3, 'ms'),
      figure(name('100000 jobs × 20 nodes'), 'redis', 4, 'ms'),
      figure(name('10 jobs × 5 nodes'), 'redis', 0, 'ms'),
      figure('growth: CPU of a node for a tick, 10 jobs × 1 node', 'redis', 5, 'ms'),
      figure('growth: slope of until all are decided over jobs, 1 nodes', 'redis', 1, ''),
    ]
    expect(pointsOf(results, 'until all are decided')).toEqual([
      { on: 'redis', jobs: 10, nodes: 1, value: 3 },
      { on: 'redis', jobs: 100_000, nodes: 20, value: 4 },
    ])
  })
})
