import { describe, expect, it } from 'vitest'
import { judge, lateness } from '../../../bench/sustained/judge.ts'
import type { NodeReport } from '../../../bench/sustained/protocol.ts'

const marks = (...jobs: number[]): string => {
  const bits = new Uint8Array(2)
  for (const job of jobs) bits[job >> 3] = (bits[job >> 3] ?? 0) | (1 << (job & 7))
  return Buffer.from(bits).toString('base64')
}
const report = (ran: NodeReport['ran'], again = 0): NodeReport => ({ minutes: [], ran, again })

describe('the judge of a sustained rate', () => {
  it('finds what ran once', () => {
    const reports = [report([[1_000, marks(0, 9)]]), report([[1_000, marks(1, 2, 3, 4, 5, 6, 7, 8)]])]
    expect(judge(reports, 10, 1_000, 2_000)).toEqual({ due: 10, ran: 10, twice: 0, missed: 0 })
  })

  it('finds what ran on two nodes, and what one node ran again', () => {
    const reports = [report([[1_000, marks(0, 1, 2)]], 3), report([[1_000, marks(2)]])]
    expect(judge(reports, 3, 1_000, 2_000)).toMatchObject({ twice: 4, missed: 0 })
  })

  it('finds jobs and whole ticks that nobody ran', () => {
    expect(judge([report([[1_000, marks(0, 2)]])], 3, 1_000, 3_000)).toMatchObject({ due: 6, twice: 0, missed: 4 })
    expect(judge([], 3, 1_000, 2_000)).toMatchObject({ missed: 3 })
  })
})

it('the lateness below which a share of the runs of all nodes began', () => {
  const minute = (late: [number, number][]) => ({ late, cpu: 0, memory: 0 })
  const minutes = [
    minute([[10, 98]]),
    minute([
      [10, 1],
      [300, 1],
    ]),
  ]
  expect([lateness(minutes, 0.5), lateness(minutes, 0.99), lateness(minutes, 1)]).toEqual([10, 10, 300])
  expect(lateness([minute([])], 0.5)).toBeNaN()
})
