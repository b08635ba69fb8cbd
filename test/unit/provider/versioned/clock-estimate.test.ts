import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClockEstimate, type ClockSample } from '../../../../src/provider/index.ts'

const SECOND = 1_000

/** A store that shows its time in whole seconds, on the other side of a network; time passes only when it is said. */
function world(ahead: number) {
  const clock = { monotonic: 12_345 }
  const estimate = new ClockEstimate(SECOND, {
    monotonic: () => clock.monotonic,
    sleep: async (ms) => {
      clock.monotonic += ms
    },
  })
  const storeNow = (): number => clock.monotonic + ahead
  const sample = (there: number, back: number): void => {
    const sentAt = clock.monotonic
    clock.monotonic += there
    const time = Math.floor(storeNow() / SECOND) * SECOND
    clock.monotonic += back
    estimate.observe({ time, sentAt, receivedAt: clock.monotonic })
  }
  const expectToHold = (): void => {
    const { bounds } = estimate
    expect(bounds?.earliest).toBeLessThanOrEqual(storeNow() + 1e-6)
    expect(bounds?.latest).toBeGreaterThanOrEqual(storeNow() - 1e-6)
  }
  return { clock, estimate, sample, storeNow, expectToHold }
}

describe('the time by a clock that shows whole seconds', () => {
  it('is unknown without a sample', () => {
    const { estimate } = world(0)
    expect([estimate.bounds, estimate.width]).toEqual([undefined, Number.POSITIVE_INFINITY])
  })

  it('lies within a second and a round trip by one sample', () => {
    const { estimate, sample, expectToHold } = world(1_700_000_000_250)
    sample(20, 10)
    expect(estimate.width).toBe(1_030)
    expectToHold()
  })

  it('lies within a round trip or two by samples just before and after a new second', () => {
    const { clock, estimate, sample, storeNow, expectToHold } = world(1_700_000_000_000)
    clock.monotonic += SECOND - (storeNow() % SECOND) - 15
    sample(5, 5)
    clock.monotonic += 1
    sample(5, 5)
    // The second began at most 16 ms after the first was sent, and before the second was received.
    expect(estimate.width).toBeCloseTo(21, 1)
    expectToHold()
  })

  it('is always within its bounds, whatever the delays, and whatever the drift between two clocks may be', () => {
    const delay = fc.integer({ min: 0, max: 3_000 })
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2e12 }),
        fc.array(fc.tuple(delay, delay, fc.integer({ min: 0, max: 50_000 })), { minLength: 1, maxLength: 12 }),
        (ahead, samples) => {
          const { clock, estimate, sample, expectToHold } = world(ahead)
          for (const [there, back, pause] of samples) {
            sample(there, back)
            expectToHold()
            clock.monotonic += pause
            expectToHold()
          }
          expect(estimate.width).toBeLessThan(1_000 + 6_000 + 50)
        },
      ),
    )
  })

  it('never gets less certain by a sample', () => {
    const { clock, estimate, sample } = world(1_700_000_000_000)
    sample(2, 2)
    for (let round = 0; round < 50; round++) {
      clock.monotonic += 37
      const before = estimate.width
      sample(round * 40, round * 70)
      expect(estimate.width).toBeLessThanOrEqual(before + round * 110 * 0.001 + 1e-3)
    }
  })

  it('widens with age, by half a millisecond a second on either side', () => {
    const { clock, estimate, sample } = world(1_700_000_000_000)
    sample(5, 5)
    const before = estimate.bounds
    clock.monotonic += 100_000
    expect(estimate.width).toBeCloseTo(1_010 + 100, 3)
    expect(estimate.bounds?.earliest).toBeCloseTo((before?.earliest ?? 0) + 100_000 - 50, 2)
    expect(estimate.bounds?.latest).toBeCloseTo((before?.latest ?? 0) + 100_000 + 50, 2)
  })

  it('is that of a sample which contradicts the others: the store’s clock was set', () => {
    const { clock, estimate, sample } = world(1_700_000_000_000)
    sample(5, 5)
    const time = 1_700_000_300_000
    estimate.observe({ time, sentAt: clock.monotonic - 10, receivedAt: clock.monotonic })
    expect(estimate.bounds).toEqual({ earliest: time, latest: time + SECOND + 10 })
  })

  it('is unknown again when it is forgotten', () => {
    const { estimate, sample } = world(0)
    sample(1, 1)
    estimate.forget()
    expect(estimate.bounds).toBeUndefined()
  })
})

describe('narrowing the bounds of a clock', () => {
  /** A store whose requests take so long, one way and back. */
  function store(there = 2, back = 1) {
    const made = world(1_700_000_000_123)
    const samples: number[] = []
    const sample = async (): Promise<ClockSample> => {
      const sentAt = made.clock.monotonic
      made.clock.monotonic += there
      const time = Math.floor(made.storeNow() / SECOND) * SECOND
      samples.push(made.storeNow() % SECOND)
      made.clock.monotonic += back
      return { time, sentAt, receivedAt: made.clock.monotonic }
    }
    return { ...made, sample, samples }
  }

  it('ends within about a second, when they are some round trips apart, and they hold', async () => {
    const { estimate, sample, expectToHold, clock } = store()
    const from = clock.monotonic
    await estimate.narrow(sample, { width: 15, within: 5_000 })
    expect(estimate.width).toBeLessThanOrEqual(15)
    expect(clock.monotonic - from).toBeLessThan(1_020)
    expectToHold()
  })

  it('takes no sample when they are narrow already, and none while no sample could narrow them', async () => {
    const { estimate, sample, samples, clock } = store()
    await estimate.narrow(sample, { width: 15, within: 5_000 })
    const before = samples.length
    await estimate.narrow(sample, { width: 15, within: 5_000 })
    expect(samples.length).toBe(before)
    clock.monotonic += 100_000
    expect(estimate.width).toBeGreaterThan(100)
    await estimate.narrow(sample, { width: 15, within: 5_000 })
    expect(estimate.width).toBeLessThanOrEqual(15)
    // All that can be learned is learned around the next second.
    const after = samples.slice(before)
    expect(after.length).toBeGreaterThan(1)
    expect(after.filter((ms) => ms > 120 && ms < 880)).toEqual([])
  })

  it('ends in time when round trips are too long for it', async () => {
    const { estimate, sample, clock, expectToHold } = store(200, 200)
    const from = clock.monotonic
    await estimate.narrow(sample, { width: 15, within: 3_000 })
    expect(clock.monotonic - from).toBeLessThanOrEqual(3_400)
    expect(estimate.width).toBeLessThan(1_000)
    expectToHold()
  })

  it('rejects with what a sample fails with', async () => {
    const failing = async (): Promise<never> => {
      throw new Error('connection refused')
    }
    const narrowed = store().estimate.narrow(failing, { width: 10, within: 100 })
    await expect(narrowed).rejects.toThrow('connection refused')
  })
})
