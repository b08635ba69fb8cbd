import { describe, expect, it } from 'vitest'
import { ClockJumps } from '../../../src/lock/clock-jumps.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

function make() {
  const clock = new ManualClock()
  const jumps = new ClockJumps(clock)
  return { clock, seen: () => [jumps.now().jumps, jumps.now().jumped] }
}

describe('a jump of the wall clock', () => {
  it('is counted once, ahead or back, and only one ahead may have been a suspension', () => {
    const { clock, seen } = make()
    clock.jump(60_000)
    expect(seen()).toEqual([1, 60_000])
    clock.jump(-60_000)
    expect(seen()).toEqual([2, 60_000])
    expect(seen()).toEqual([2, 60_000])
  })

  it('of half a second is none, but several add up', () => {
    const { clock, seen } = make()
    clock.jump(500)
    expect(seen()).toEqual([0, 0])
    clock.jump(1)
    expect(seen()).toEqual([1, 501])
  })

  it('is no time that passes on both clocks', async () => {
    const { clock, seen } = make()
    await clock.advance(1e6)
    expect(seen()).toEqual([0, 0])
  })
})
