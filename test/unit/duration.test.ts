import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_DURATION, parseDuration } from '../../src/duration.ts'

const parse = (value: unknown): number => parseDuration(value, { of: 'job "j"', option: 'o' })

describe('a duration', () => {
  it.each([
    [0, 0],
    [1500, 1500],
    [0.1, 1],
    ['0s', 0],
    ['100ms', 100],
    ['10s', 10_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['1w2d3h4m5s6ms', 788_645_006],
    ['1.5h', 5_400_000],
    ['0.1s', 100],
    ['PT10M', 600_000],
    ['PT0.5S', 500],
    ['P1DT12H', 129_600_000],
    ['P1W', 604_800_000],
  ])('%o is %i ms', (value, ms) => expect(parse(value)).toBe(ms))

  it.each([
    '',
    ' ',
    '10',
    '10 s',
    '10 parsecs',
    's',
    '-5s',
    '+5s',
    '5S',
    '5m5h',
    '5s5s',
    '1e3s',
    '.5s',
    '5.s',
    'P',
    'PT',
    'P1DT',
    'P1M',
    'P1Y',
    'pt10m',
    '5ms5s',
    '١s',
    Number.NaN,
    -1,
    Number.POSITIVE_INFINITY,
    MAX_DURATION + 1,
    '101000w',
    null,
    undefined,
    true,
    [],
    {},
    10n,
    new Date(),
  ])('%o is an error that names it', (value) => {
    expect(() => parse(value)).toThrow(
      /^job "j": o must be (milliseconds as a number, or a string|a duration from 0 ms)/,
    )
  })

  it('never reads a text in two ways, and never hangs on one', () => {
    const text = fc.stringMatching(/^[PT0-9.wdhms]{0,30}$/)
    fc.assert(
      fc.property(text, (value) => {
        let ms: number
        try {
          ms = parse(value)
        } catch {
          return true
        }
        return Number.isSafeInteger(ms) && ms >= 0 && ms <= MAX_DURATION
      }),
      { numRuns: 5_000 },
    )
  })

  it('is the sum of its parts', () => {
    const parts = fc.record({ h: fc.nat(1000), m: fc.nat(1000), s: fc.nat(1000), ms: fc.nat(1000) })
    fc.assert(
      fc.property(parts, ({ h, m, s, ms }) => parse(`${h}h${m}m${s}s${ms}ms`) === ((h * 60 + m) * 60 + s) * 1000 + ms),
    )
  })
})
