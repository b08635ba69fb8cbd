import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/clock.ts'
import { SharedTimers } from '../../../src/lock/shared-timers.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

/** Shared timers over a clock that counts the timers that are set. */
function counted() {
  const clock = new ManualClock({ now: 0 })
  let set = 0
  const counting: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer: (ms, callback) => {
      set++
      return clock.setTimer(ms, callback)
    },
  }
  return { clock, timers: new SharedTimers(counting), count: () => set }
}

describe('shared timers', () => {
  it('are one for all that end within a twentieth of their length', async () => {
    const { clock, timers, count } = counted()
    const called: number[] = []
    for (let index = 0; index < 10; index++) {
      timers.set(1_000, () => called.push(index))
      await clock.advance(1)
    }
    expect(count()).toBeLessThanOrEqual(2)
    await clock.advance(1_050)
    expect(called.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('call back early or late by a twentieth at most, whatever else is set', async () => {
    const { clock, timers } = counted()
    const wrong: number[] = []
    for (let round = 0; round < 200; round++) {
      const ms = [30, 100, 999, 10_000, 60_000][round % 5] as number
      const due = clock.monotonic() + ms
      timers.set(ms, () => {
        const off = Math.abs(clock.monotonic() - due)
        if (off > ms / 20 + 1) wrong.push(off)
      })
      await clock.advance(7)
    }
    await clock.advance(70_000)
    expect(wrong).toEqual([])
  })

  it('of a short time do not wait for a long one in whose span they end', async () => {
    const { clock, timers } = counted()
    // Both spans begin at the same moment: the long one's is 3 s long, the short one's 5 ms.
    await clock.advance(3_000 - (clock.monotonic() % 3_000) + 1_000)
    timers.set(60_000, () => {})
    await clock.advance(58_902)
    let called = false
    timers.set(100, () => {
      called = true
    })
    await clock.advance(106)
    expect(called).toBe(true)
  })

  it('forget what is cancelled, also while they call back', async () => {
    const { clock, timers } = counted()
    const called: string[] = []
    timers.set(100, () => {
      called.push('first')
      second.cancel()
    })
    const second = timers.set(100, () => called.push('second'))
    const third = timers.set(100, () => called.push('third'))
    third.cancel()
    third.cancel()
    await clock.advance(200)
    expect(called).toEqual(['first'])
    const alone = timers.set(100, () => called.push('alone'))
    alone.cancel()
    await clock.advance(200)
    expect(called).toEqual(['first'])
  })
})
