import { describe, expect, it } from 'vitest'
import { inTurns } from '../../../bench/harness/in-turns.ts'
import { interleave } from '../../../bench/harness/interleave.ts'
import { readOptions } from '../../../bench/harness/options.ts'
import { atLeast, atMost, exactly, figure } from '../../../bench/harness/result.ts'
import { median, percentile, slope } from '../../../bench/harness/statistics.ts'
import { markdownTable, resultsTable } from '../../../bench/harness/table.ts'
import { rows } from '../../../bench/rows/index.ts'

describe('a figure', () => {
  it('meets its aim or not, at the bound itself too', () => {
    expect(figure('row', 'redis', 0.9, 'x', atLeast(0.9))).toEqual({
      name: 'row',
      provider: 'redis',
      value: 0.9,
      unit: 'x',
      aim: '≥ 0.9',
      ok: true,
    })
    expect(figure('row', 'redis', 0.8999, 'x', atLeast(0.9)).ok).toBe(false)
    expect(figure('row', 'redis', 1.31, 'x', atMost(1.3)).ok).toBe(false)
    expect(figure('row', 'redis', 0, 'x', exactly(0)).ok).toBe(true)
  })

  it('without an aim is all right, and one that could not be measured never meets its aim', () => {
    expect(figure('row', 'redis', 5, 'ms')).toMatchObject({ aim: null, ok: true })
    for (const aim of [atLeast(0), atMost(1), exactly(0)])
      expect(figure('row', 'redis', Number.NaN, 'ms', aim).ok).toBe(false)
  })

  it('is judged as it was measured, and shown with four digits', () => {
    expect(figure('row', 'redis', 1.300004, 'x', atMost(1.3))).toMatchObject({ value: 1.3, ok: false })
  })
})

describe('statistics', () => {
  it('take the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)]).toEqual([50, 99, 100])
    expect(median([3, 1, 2])).toBe(2)
    expect(median([])).toBeNaN()
  })

  it('tell how a cost grows: 1 for as fast as the size, 2 for its square, 0 for not at all', () => {
    const grows = (power: number) => [10, 100, 1_000].map((size) => [size, 3 * size ** power] as const)
    for (const power of [0, 1, 2]) expect(slope(grows(power))).toBeCloseTo(power, 10)
  })
})

describe('the harness', () => {
  it('times works in turns', async () => {
    const order: string[] = []
    const work = (name: string) => ({
      before: async () => order.push(`before ${name}`),
      run: async () => order.push(name),
    })
    const times = await interleave({ a: work('a'), b: work('b') }, 3, 0)
    expect(order).toEqual(Array.from({ length: 3 }, () => ['before a', 'a', 'before b', 'b']).flat())
    expect(Object.keys(times)).toEqual(['a', 'b'])
  })

  it('works on so many at a time, and on each once', async () => {
    const seen: number[] = []
    let running = 0
    let most = 0
    await inTurns([1, 2, 3, 4, 5], 2, async (item) => {
      most = Math.max(most, ++running)
      await Promise.resolve()
      seen.push(item)
      running--
    })
    expect(seen.sort()).toEqual([1, 2, 3, 4, 5])
    expect(most).toBe(2)
  })

  it('reads its options, and refuses what it does not know', () => {
    expect(readOptions(['--only', 'a,b', '--only', 'c', '--json', '--processes', '4,20'])).toMatchObject({
      only: ['a', 'b', 'c'],
      json: true,
      processes: [4, 20],
      stores: [],
    })
    expect(() => readOptions(['--seconds', '0'])).toThrow(/--seconds takes whole numbers above 0/)
    expect(() => readOptions(['--sekonds', '1'])).toThrow(/sekonds/)
  })

  it('prints tables whose columns are as wide as what they hold', () => {
    expect(markdownTable(['a', 'b'], [['long', '1']])).toBe('| a    | b |\n|------|---|\n| long | 1 |')
    expect(resultsTable([figure('row', 'redis', 2, 'ms', atMost(1))])).toMatch(
      /\| row {2}\| redis \| 2 ms.*≤ 1 \| NO \|/,
    )
  })

  it('has rows of different names', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length)
  })
})
