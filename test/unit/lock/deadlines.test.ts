import { describe, expect, it } from 'vitest'
import { ClockJumps } from '../../../src/lock/clock-jumps.ts'
import { Deadlines } from '../../../src/lock/deadlines.ts'
import { ManualClock } from '../../../src/testing/index.ts'

/** A clock that counts the timers that were set on it, and a watcher that notes when it was told. */
function make() {
  const clock = new ManualClock()
  const setTimer = clock.setTimer.bind(clock)
  let timers = 0
  clock.setTimer = (...args) => {
    timers++
    return setTimer(...args)
  }
  const watcher = () => {
    const told: number[] = []
    const doubts: number[] = []
    return {
      told,
      doubts,
      expired: () => void told.push(clock.monotonic()),
      doubted: () => void doubts.push(clock.monotonic()),
    }
  }
  return { clock, deadlines: new Deadlines(clock, new ClockJumps(clock)), watcher, timers: () => timers }
}

describe('deadlines', () => {
  it('of one millisecond have one timer, however many watch, and each is told once', async () => {
    const { clock, deadlines, watcher, timers } = make()
    const from = clock.monotonic()
    const watchers = Array.from({ length: 1_000 }, watcher)
    for (const [index, each] of watchers.entries()) deadlines.watch(from + 99.5 + index / 10_000, each)
    expect(timers(), 'one for the deadline, and one that compares the clocks').toBe(2)
    await clock.advance(99)
    expect(watchers.every(({ told }) => told.length === 0)).toBe(true)
    await clock.advance(500)
    expect(new Set(watchers.map(({ told }) => told.join()))).toEqual(new Set([String(from + 100)]))
  })

  it('are each told of at their own time', async () => {
    const { clock, deadlines, watcher } = make()
    const from = clock.monotonic()
    const late = watcher()
    const early = watcher()
    deadlines.watch(from + 200, late)
    deadlines.watch(from + 100, early)
    await clock.advance(300)
    expect([early.told, late.told]).toEqual([[from + 100], [from + 200]])
  })

  it('that a suspension may have outlasted are doubted within a second, and the others not yet', async () => {
    const { clock, deadlines, watcher } = make()
    const from = clock.monotonic()
    const [short, long] = [watcher(), watcher()]
    deadlines.watch(from + 30_000, short)
    deadlines.watch(from + 90_000, long)
    await clock.advance(5_000)
    clock.jump(60_000)
    await clock.advance(1_000)
    expect([short.doubts.length, long.doubts.length]).toEqual([1, 0])
    clock.jump(-60_000)
    await clock.advance(5_000)
    expect([short.doubts.length, long.doubts.length, short.told.length]).toEqual([1, 0, 0])
  })

  it.each([
    ['one suspension', [60_000]],
    ['several', [20_000, 30_000, 10_000]],
    ['many that are each too short to be noticed', Array.from({ length: 150 }, () => 400)],
  ])('are doubted when their lease ends by the wall clock, after %s that it outlived', async (_, suspensions) => {
    const { clock, deadlines, watcher } = make()
    const from = clock.monotonic()
    const long = watcher()
    deadlines.watch(from + 90_000, long)
    for (const ms of suspensions) {
      clock.jump(ms)
      deadlines.compare()
    }
    await clock.advance(29_400)
    expect(long.doubts).toEqual([])
    await clock.advance(1_100)
    expect(long.doubts).toHaveLength(1)
    await clock.advance(60_000)
    expect([long.doubts.length, long.told.length]).toEqual([1, 1])
  })

  it('whose lease counts from before a suspension are doubted also when they are watched after it', async () => {
    const { clock, deadlines, watcher } = make()
    const since = deadlines.now()
    clock.jump(60_000)
    const [short, long] = [watcher(), watcher()]
    deadlines.watch(since.monotonic + 30_000, short, since)
    deadlines.watch(since.monotonic + 90_000, long, since)
    expect([short.doubts.length, long.doubts.length]).toEqual([1, 0])
    await clock.advance(30_000)
    expect([short.doubts.length, long.doubts.length]).toEqual([1, 1])
  })

  it('that are taken back are not told, and the last one takes the timer with it', async () => {
    const { clock, deadlines, watcher } = make()
    const deadline = clock.monotonic() + 100
    const [first, second] = [watcher(), watcher()]
    deadlines.watch(deadline, first)
    deadlines.watch(deadline, second)
    deadlines.unwatch(deadline, first)
    deadlines.unwatch(deadline, first)
    await clock.advance(100)
    expect([first.told, second.told]).toEqual([[], [deadline]])

    deadlines.watch(deadline + 100, first)
    deadlines.unwatch(deadline + 100, first)
    expect(clock.pending).toBe(0)
  })

  it('may be watched anew, also by who is told', async () => {
    const { clock, deadlines, watcher } = make()
    const from = clock.monotonic()
    const again = watcher()
    deadlines.watch(from + 10, { doubted: () => {}, expired: () => deadlines.watch(from + 10, again) })
    await clock.advance(20)
    expect(again.told).toEqual([from + 10])
  })
})
