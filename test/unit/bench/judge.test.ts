import { describe, expect, it } from 'vitest'
import { type Begun, judge } from '../../../bench/coordinators/judge.ts'

const span = { jobs: ['a', 'b'], from: 1_000, to: 3_000, every: 1_000 }
const begun = (job: string, tick: number, late: number, node = 'n'): Begun => ({ job, tick, at: tick + late, node })
const all = [1_000, 2_000, 3_000].flatMap((tick) => [begun('a', tick, 5), begun('b', tick, 7)])

describe('the judge of the coordinators', () => {
  it('finds every tick of every job run once', () => {
    expect(judge(all, span)).toEqual({ due: 6, run: 6, twice: 0, missed: 0, p50: 5, p99: 7 })
  })

  it('counts a tick that began twice once, on whatever node, and takes the first of the two for its lateness', () => {
    const twice = [...all, begun('a', 2_000, 900, 'another'), begun('b', 3_000, 900)]
    expect(judge(twice, span)).toMatchObject({ due: 6, run: 6, twice: 2, missed: 0, p99: 7 })
  })

  it('counts a tick that nobody began', () => {
    expect(judge(all.slice(1), span)).toMatchObject({ due: 6, run: 5, twice: 0, missed: 1 })
    expect(judge([], span)).toMatchObject({ due: 6, run: 0, missed: 6, p50: Number.NaN })
  })

  it('leaves out what began before and after the time that is judged', () => {
    expect(judge([...all, begun('a', 4_000, 0), begun('a', 0, 0), begun('a', 0, 0)], span)).toMatchObject({
      due: 6,
      twice: 0,
    })
  })
})
