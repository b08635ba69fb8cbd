import { describe, expect, it } from 'vitest'
import { LONGEST_TIMER, setDeadline, sleep } from '../../../src/clock.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

describe('the manual clock', () => {
  it('stands still until it is moved, and then moves both clocks alike', async () => {
    const clock = new ManualClock({ now: 5_000 })
    const monotonic = clock.monotonic()
    await clock.advance(250)
    expect(clock.now()).toBe(5_250)
    expect(clock.monotonic() - monotonic).toBe(250)
  })

  it('fires timers in order of their time, and those of one time in the order they were set', async () => {
    const clock = new ManualClock({ now: 0 })
    const fired: string[] = []
    clock.setTimer(20, () => fired.push(`c@${clock.now()}`))
    clock.setTimer(10, () => fired.push(`a@${clock.now()}`))
    clock.setTimer(10, () => fired.push(`b@${clock.now()}`))
    clock.setTimer(21, () => fired.push('too early'))
    await clock.advance(20)
    expect(fired).toEqual(['a@10', 'b@10', 'c@20'])
    expect(clock.pending).toBe(1)
  })

  it('lets what a timer set off run before time goes on', async () => {
    const clock = new ManualClock({ now: 0 })
    const seen: number[] = []
    const work = (async () => {
      for (let round = 0; round < 3; round++) {
        await sleep(clock, 10)
        for (let depth = 0; depth < 50; depth++) await Promise.resolve()
        seen.push(clock.now())
      }
    })()
    await clock.advance(1_000)
    await work
    expect(seen).toEqual([10, 20, 30])
  })

  it('carries a deadline longer than any timer', async () => {
    const clock = new ManualClock({ now: 0 })
    let at: number | undefined
    setDeadline(clock, clock.monotonic() + 10 * LONGEST_TIMER + 1, () => {
      at = clock.now()
    })
    await clock.advance(11 * LONGEST_TIMER)
    expect(at).toBe(10 * LONGEST_TIMER + 1)
  })

  it('makes the wall clock jump without moving timers or the monotonic clock', async () => {
    const clock = new ManualClock({ now: 0 })
    let fired = false
    clock.setTimer(10, () => {
      fired = true
    })
    const monotonic = clock.monotonic()
    clock.jump(-3_600_000)
    await clock.advance(9)
    expect([clock.now(), clock.monotonic() - monotonic, fired]).toEqual([-3_599_991, 9, false])
    await clock.advance(1)
    expect(fired).toBe(true)
  })

  it('forgets a timer that was taken back', async () => {
    const clock = new ManualClock()
    let fired = false
    const timer = clock.setTimer(10, () => {
      fired = true
    })
    timer.cancel()
    timer.cancel()
    expect(clock.pending).toBe(0)
    await clock.advance(20)
    expect(fired).toBe(false)
  })

  it('refuses timers that a real clock would fire at once by mistake', () => {
    const clock = new ManualClock()
    for (const ms of [LONGEST_TIMER + 1, Number.NaN, -1]) {
      expect(() => clock.setTimer(ms, () => {})).toThrow(RangeError)
    }
  })
})
