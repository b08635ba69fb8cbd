import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClockJumps } from '../../../../src/lock/clock-jumps.ts'
import { StoreClock } from '../../../../src/scheduler/clock/store-clock.ts'
import { ManualClock } from '../../../../src/testing/manual-clock.ts'

const WALL = Date.UTC(2024, 0, 1)

/** A store clock of a machine whose wall clock is ahead by so much of a store that shows `WALL` at first. */
function machine(wallAhead: number) {
  const clock = new ManualClock({ now: WALL + wallAhead })
  const start = clock.monotonic()
  const jumps = new ClockJumps(clock)
  const time = new StoreClock(clock, jumps)
  const storeNow = (): number => WALL + clock.monotonic() - start
  /** An answer: so long under way there, and back. */
  const ask = async (there: number, back: number): Promise<void> => {
    const sent = jumps.now()
    await clock.advance(there)
    const storeTime = storeNow()
    await clock.advance(back)
    time.observe({ storeTime, sent, receivedAt: clock.monotonic() })
  }
  /** An answer that was received so many ms after the start, and took so long. */
  const observe = (storeTime: number, took: number, after = 0): void => {
    const { monotonic, ...seen } = jumps.now()
    time.observe({ storeTime, sent: { monotonic: monotonic + after - took, ...seen }, receivedAt: monotonic + after })
  }
  return { clock, time, jumps, storeNow, ask, observe }
}

describe('the time by the store', () => {
  it("is this machine's own before the first answer", () => {
    const { time } = machine(300_000)
    expect([time.now(), time.skew, time.uncertainty, time.readingAge]).toEqual([
      WALL + 300_000,
      0,
      undefined,
      undefined,
    ])
  })

  it.each([300_000, -300_000, 1_500])(
    'is right to half the round trip on a machine that is %d ms ahead',
    async (wallAhead) => {
      const { time, storeNow, ask } = machine(wallAhead)
      await ask(20, 10)
      expect(Math.abs(time.now() - storeNow())).toBeLessThanOrEqual(15)
      expect(Math.abs(time.skew - wallAhead)).toBeLessThanOrEqual(15)
      expect(time.uncertainty).toBe(15)
    },
  )

  it('is the wall clock as it is while that may be right', async () => {
    const { clock, time, ask } = machine(7)
    await ask(20, 10)
    expect([time.now(), time.skew]).toEqual([clock.now(), 0])
  })

  it('is never further off than it says, whatever the delays', async () => {
    const delay = fc.integer({ min: 0, max: 3_000 })
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -600_000, max: 600_000 }),
        fc.array(fc.tuple(delay, delay, fc.integer({ min: 0, max: 30_000 })), { minLength: 1, maxLength: 4 }),
        async (wallAhead, asks) => {
          const { clock, time, storeNow, ask } = machine(wallAhead)
          for (const [there, back, pause] of asks) {
            await ask(there, back)
            await clock.advance(pause)
            const slack = 2 * (time.uncertainty ?? 0) + 1e-3
            expect(Math.abs(time.now() - storeNow())).toBeLessThanOrEqual(slack)
          }
        },
      ),
      { numRuns: 40 },
    )
  })

  it('keeps a good reading against a worse one that agrees, and takes a better one', async () => {
    const { time, ask } = machine(300_000)
    await ask(5, 5)
    await ask(500, 500)
    expect(time.uncertainty).toBeCloseTo(5 + 0.5, 5)
    await ask(1, 1)
    expect(time.uncertainty).toBe(1)
  })

  it('takes a reading that contradicts the known one, however wide: the machine slept, or the store is another', async () => {
    const { time, observe } = machine(0)
    observe(WALL, 10)
    observe(WALL + 3_600_000, 500)
    expect(time.now()).toBe(WALL + 3_600_250)
  })

  it('keeps a good reading against a wide one that differs by the rest of a millisecond', () => {
    const { time, observe } = machine(0)
    observe(WALL + 5_000, 0)
    observe(WALL + 5_000.9, 4_000)
    observe(WALL + 4_999.1 + 4_000, 4_000, 4_000)
    expect(Math.abs(time.now() - (WALL + 5_000))).toBeLessThanOrEqual(1)
    expect(time.uncertainty).toBeLessThanOrEqual(1)
  })

  it('is set right by an answer that shows that this node was early, at least by as much, whatever was known', async () => {
    const delay = fc.integer({ min: 0, max: 5_000 })
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -10_000, max: 30_000 }),
        fc.array(fc.tuple(delay, delay), { minLength: 1, maxLength: 5 }),
        async (wallAhead, asks) => {
          const { clock, time, storeNow, ask } = machine(wallAhead)
          for (const [there, back] of asks) {
            const sentAt = clock.monotonic()
            const early = time.now() - storeNow() - there
            const ahead = time.now() - sentAt
            await ask(there, back)
            if (early > 0) expect(ahead - (time.now() - clock.monotonic())).toBeGreaterThanOrEqual(early - 1)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  it('is narrowed by what two readings allow together', () => {
    const { time, observe } = machine(0)
    observe(WALL + 5_000, 100)
    observe(WALL + 5_080, 100)
    expect([time.now(), time.uncertainty]).toEqual([WALL + 5_090, 10])
  })

  it('trusts a reading less as it ages', async () => {
    const { clock, time, ask } = machine(300_000)
    await ask(5, 5)
    await clock.advance(100_000)
    expect(time.uncertainty).toBeCloseTo(5 + 50, 5)
    expect(time.readingAge).toBe(100_000)
  })

  it('is the machine’s own again when what was known is dropped', async () => {
    const { clock, time, ask } = machine(300_000)
    await ask(5, 5)
    time.forget()
    expect([time.now(), time.skew]).toEqual([clock.now(), 0])
  })

  it('may be stale after a jump of the wall clock, and is not known then, until the answer to a later request', async () => {
    const { clock, time, storeNow, ask } = machine(7)
    expect(time.mayBeStale).toBe(false)
    await ask(5, 5)
    for (const jump of [60_000, -60_000]) {
      expect([time.mayBeStale, time.isKnownWithin(1_000)]).toEqual([false, true])
      clock.jump(jump)
      expect([time.mayBeStale, time.isKnownWithin(1_000)]).toEqual([true, false])
      // Also when it agrees with the known one, and is no better.
      await ask(50, 50)
    }
    clock.jump(60_000)
    time.forget()
    expect([time.mayBeStale, time.isKnownWithin(1_000), time.now()]).toEqual([false, false, storeNow() + 60_007])
  })

  it('learns nothing from an answer during which the wall clock jumped, early or late', async () => {
    const { clock, time, jumps, ask, storeNow } = machine(0)
    const sent = jumps.now()
    const late = { storeTime: storeNow(), sent, receivedAt: clock.monotonic() }
    clock.jump(60_000)
    time.observe(late)
    expect(time.uncertainty).toBeUndefined()
    await ask(5, 5)
    const known = time.uncertainty
    time.observe({ ...late, storeTime: late.storeTime - 60_000 })
    expect([time.uncertainty, time.mayBeStale]).toEqual([known, false])
  })
})
