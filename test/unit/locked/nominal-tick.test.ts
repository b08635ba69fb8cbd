import { Cron } from 'croner'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EARLY, latestTick, nominalTick } from '../../../src/locked/nominal-tick.ts'

const at = (time: string): number => Date.parse(`2021-03-04T${time}Z`)

describe('the tick that a call is for', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  it.each([
    ['on time', '02:00:00.000', '02:00:00'],
    ['a little late', '02:00:00.180', '02:00:00'],
    ['hours late, since the machine slept', '05:30:00', '02:00:00'],
    ['a timer that fires early', '01:59:59.960', '02:00:00'],
    ['too early to be for the next one', '01:59:59.900', '2021-03-03T02:00:00Z'],
  ])('of a pattern: %s', (_, called, tick) => {
    vi.setSystemTime(at(called))
    const expected = tick.length > 8 ? new Date(tick) : new Date(at(tick))
    expect(nominalTick({ cron: '0 2 * * *' }, 'test')?.()).toEqual(expected)
  })

  it.each([
    ['in the middle of a window', '00:00:14.999', '00:00:10'],
    ['at its beginning', '00:00:20.000', '00:00:20'],
    ['a timer that fires early', '00:00:19.970', '00:00:20'],
  ])('of an interval: %s', (_, called, tick) => {
    vi.setSystemTime(at(called))
    expect(nominalTick({ every: '10s' }, 'test')?.()).toEqual(new Date(at(tick)))
  })

  it('is the same on nodes whose timers fire up to a second apart', () => {
    const seen = new Set<number | undefined>()
    const tick = nominalTick({ cron: '* * * * *', timezone: 'Asia/Kolkata' }, 'test')
    for (let late = -EARLY; late < 1_000; late += 7) {
      vi.setSystemTime(at('10:07:00.000') + late)
      seen.add(tick?.()?.getTime())
    }
    expect([...seen]).toEqual([at('10:07:00')])
  })

  it('is none without a schedule, and a wrong schedule is refused at once', () => {
    expect(nominalTick({}, 'test')).toBeUndefined()
    expect(() => nominalTick({ timezone: 'UTC' }, 'test')).toThrow(/timezone goes with cron/)
    expect(() => nominalTick({ cron: '* * *', every: '1s' }, 'test')).toThrow(/exactly one of cron and every/)
    expect(() => nominalTick({ cron: 'never' }, 'test')).toThrow(/"never" can't be read/)
  })
})

describe('the latest tick of a library that tells only the next', () => {
  const next = (pattern: string) => {
    const cron = new Cron(pattern, { timezone: 'UTC', paused: true })
    return (after: Date): Date | undefined => cron.nextRun(after) ?? undefined
  }

  it.each([
    ['* * * * * *', '10:00:00.020', '10:00:00'],
    ['*/2 * * * * *', '10:00:01.990', '10:00:02'],
    ['0 10 * * *', '10:00:00.003', '10:00:00'],
    ['0 10 * * *', '23:00:00', '10:00:00'],
    ['* * 0-2 * * *', '02:59:59.990', '02:59:59'],
    ['* 0-9 * * * *', '10:10:00', '10:09:59'],
  ])('of %s at %s', (pattern, now, tick) => {
    expect(latestTick(next(pattern), at(now))?.toISOString()).toBe(new Date(at(tick)).toISOString())
  })

  it('is found months back, for a machine that slept', () => {
    expect(latestTick(next('0 0 1 1 *'), at('10:00:00'))).toEqual(new Date('2021-01-01T00:00:00Z'))
  })

  it('is none when there was none, and does not hang on a library that does not advance', () => {
    expect(latestTick(() => undefined, at('10:00:00'))).toBeUndefined()
    const stuck = new Date(at('09:59:59.999'))
    expect(latestTick(() => stuck, at('10:00:00'))).toEqual(stuck)
  })
})
