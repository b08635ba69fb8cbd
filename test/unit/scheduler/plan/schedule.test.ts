import { Cron } from 'croner'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readSchedule, type Schedule, ticksBetween } from '../../../../src/scheduler/plan/schedule.ts'
import { Cluster } from '../cluster.ts'

const at = (text: string): number => Date.parse(text)
const cron = (pattern: string, timezone?: string): Schedule => readSchedule({ cron: pattern, timezone }, 'job "x"')
const every = (length: string | number): Schedule => readSchedule({ every: length }, 'job "x"')
const show = (tick: number): string => new Date(tick).toISOString().replace('.000Z', 'Z')

/** The ticks after `from` and before `until`. */
function between(schedule: Schedule, from: string, until: string): string[] {
  const ticks: string[] = []
  for (let tick = schedule.next(at(from)); tick !== undefined && tick < at(until); tick = schedule.next(tick)) {
    ticks.push(show(tick))
  }
  return ticks
}

describe('a cron schedule', () => {
  it('has seconds when it has six fields', () => {
    expect(between(cron('*/20 * * * * *'), '2024-01-01T00:00:00Z', '2024-01-01T00:01:01Z')).toEqual([
      '2024-01-01T00:00:20Z',
      '2024-01-01T00:00:40Z',
      '2024-01-01T00:01:00Z',
    ])
  })

  it('goes by its time zone, and by UTC without one, whatever the zone of the machine', () => {
    const [from, until] = ['2024-07-01T00:00:00Z', '2024-07-02T00:00:00Z']
    expect(between(cron('0 2 * * *'), from, until)).toEqual(['2024-07-01T02:00:00Z'])
    expect(between(cron('0 2 * * *', 'Europe/Berlin'), '2024-06-30T23:59:00Z', until)).toEqual(['2024-07-01T00:00:00Z'])
    expect(between(cron('0 2 * * *', 'Asia/Kolkata'), from, until)).toEqual(['2024-07-01T20:30:00Z'])
  })

  it('ticks in UTC, which is read as a fixed offset, as in a zone that never changes', () => {
    const from = at('2023-12-28T22:00:00Z')
    for (const pattern of ['*/7 * * * * *', '0 */5 * * *', '30 2 L * *', '0 12 15W * *', '0 0 29 2 *', '0 0 * * 1#2']) {
      const [utc, zone] = [cron(pattern), cron(pattern, 'Etc/GMT')]
      let tick: number | undefined = from
      for (let count = 0; count < 50 && tick !== undefined; count++) {
        expect(utc.last(3, tick)).toEqual(zone.last(3, tick))
        const next = utc.next(tick)
        expect(next).toBe(zone.next(tick))
        tick = next
      }
    }
  })

  it('takes nicknames', () => {
    expect(between(cron('@daily'), '2024-01-01T00:00:00Z', '2024-01-02T00:00:01Z')).toEqual(['2024-01-02T00:00:00Z'])
  })

  it('reads ? as any value, not as the time when it was read, or nodes would differ', () => {
    const from = '2024-01-01T00:00:00Z'
    expect(between(cron('? * * * * *'), from, '2024-01-01T00:00:03Z')).toHaveLength(2)
    expect(between(cron('0 ? ? * ?'), from, '2024-01-01T03:00:01Z')).toHaveLength(3)
  })

  it('ends when its years are over, and may have no tick at all', () => {
    const ended = cron('0 0 0 1 1 * 2020')
    expect(ended.next(at('2019-06-01T00:00:00Z'))).toBe(at('2020-01-01T00:00:00Z'))
    expect(ended.next(at('2020-01-01T00:00:00Z'))).toBeUndefined()
    expect(ended.last(5, at('2024-01-01T00:00:00Z'))).toEqual([at('2020-01-01T00:00:00Z')])
    const never = cron('0 0 31 2 *')
    expect([never.next(at('2024-01-01T00:00:00Z')), never.last(2, at('2024-01-01T00:00:00Z'))]).toEqual([undefined, []])
  })

  it('counts a tick at the very moment as passed', () => {
    const minutely = cron('* * * * *')
    const tick = at('2024-01-01T00:05:00Z')
    expect(minutely.last(1, tick)).toEqual([tick])
    expect(minutely.last(1, tick - 1)).toEqual([tick - 60_000])
    expect(minutely.next(tick)).toBe(tick + 60_000)
    expect(minutely.next(tick - 1)).toBe(tick)
  })
})

describe('daylight saving', () => {
  // Berlin: 02:00 to 03:00 was skipped on 31 March 2024, and came twice on 27 October.
  it('runs a job with a fixed time right after the gap in Berlin', () => {
    const job = cron('30 2 * * *', 'Europe/Berlin')
    expect(between(job, '2024-03-30T12:00:00Z', '2024-04-01T12:00:00Z')).toEqual([
      '2024-03-31T01:00:00Z',
      '2024-04-01T00:30:00Z',
    ])
  })

  it('runs a job with a fixed time once, the first time, when the hour comes twice in Berlin', () => {
    const job = cron('30 2 * * *', 'Europe/Berlin')
    expect(between(job, '2024-10-26T12:00:00Z', '2024-10-28T12:00:00Z')).toEqual([
      '2024-10-27T00:30:00Z',
      '2024-10-28T01:30:00Z',
    ])
  })

  it('runs a job with wildcards evenly over gap and overlap in Berlin', () => {
    const job = cron('*/30 * * * *', 'Europe/Berlin')
    for (const [from, until] of [
      ['2024-03-31T00:00:00Z', '2024-03-31T03:00:00Z'],
      ['2024-10-26T23:00:00Z', '2024-10-27T03:00:00Z'],
    ] as const) {
      const ticks = between(job, from, until).map(at)
      const expected = []
      for (let tick = at(from) + 1_800_000; tick < at(until); tick += 1_800_000) expected.push(tick)
      expect(ticks).toEqual(expected)
    }
  })

  it('skips what a job with wildcards has in the gap, and runs both times what it has in the overlap', () => {
    const job = cron('*/20 2 * * *', 'Europe/Berlin')
    expect(between(job, '2024-03-30T12:00:00Z', '2024-03-31T12:00:00Z')).toEqual([])
    expect(between(job, '2024-10-26T12:00:00Z', '2024-10-27T12:00:00Z')).toEqual([
      '2024-10-27T00:00:00Z',
      '2024-10-27T00:20:00Z',
      '2024-10-27T00:40:00Z',
      '2024-10-27T01:00:00Z',
      '2024-10-27T01:20:00Z',
      '2024-10-27T01:40:00Z',
    ])
  })

  // New York: 02:00 to 03:00 was skipped on 10 March 2024, and 01:00 to 02:00 came twice on 3 November.
  it('does the same in New York', () => {
    expect(
      between(cron('30 2 * * *', 'America/New_York'), '2024-03-10T00:00:00-05:00', '2024-03-11T00:00:00-04:00'),
    ).toEqual(['2024-03-10T07:00:00Z'])
    expect(
      between(cron('30 1 * * *', 'America/New_York'), '2024-11-03T00:00:00-04:00', '2024-11-04T00:00:00-05:00'),
    ).toEqual(['2024-11-03T05:30:00Z'])
    expect(
      between(cron('*/30 1 * * *', 'America/New_York'), '2024-11-03T00:00:00-04:00', '2024-11-04T00:00:00-05:00'),
    ).toEqual(['2024-11-03T05:00:00Z', '2024-11-03T05:30:00Z', '2024-11-03T06:00:00Z', '2024-11-03T06:30:00Z'])
  })

  // Lord Howe: 02:00 to 02:30 was skipped on 6 October 2024, and 01:30 to 02:00 came twice on 7 April.
  it('does the same on Lord Howe, which moves by half an hour', () => {
    const zone = 'Australia/Lord_Howe'
    expect(between(cron('15 2 * * *', zone), '2024-10-05T00:00:00Z', '2024-10-06T10:00:00Z')).toEqual([
      '2024-10-05T15:30:00Z',
    ])
    expect(between(cron('45 1 * * *', zone), '2024-04-06T00:00:00Z', '2024-04-07T10:00:00Z')).toEqual([
      '2024-04-06T14:45:00Z',
    ])
    expect(between(cron('*/15 * * * *', zone), '2024-04-06T14:00:00Z', '2024-04-06T16:00:00Z')).toHaveLength(7)
    expect(between(cron('*/15 * * * *', zone), '2024-10-05T15:00:00Z', '2024-10-05T16:00:00Z')).toHaveLength(3)
  })
})

describe('a gap that ends on another date', () => {
  // Each zone that had one since 1970, or will have one: a time that was skipped, and the end of the gap.
  const gaps = [
    ['America/Nuuk', '2024-03-30T23:30', '2024-03-31T01:00Z'],
    ['America/Nuuk', '2037-03-28T23:59', '2037-03-29T01:00Z'],
    ['America/Scoresbysund', '2025-03-29T23:00', '2025-03-30T01:00Z'],
    ['Africa/Algiers', '1971-04-25T23:30', '1971-04-25T23:00Z'],
    ['Asia/Dhaka', '2009-06-19T23:15', '2009-06-19T17:00Z'],
    ['Asia/Kuala_Lumpur', '1981-12-31T23:45', '1981-12-31T16:00Z'],
    ['Asia/Pyongyang', '2018-05-04T23:30', '2018-05-04T15:00Z'],
    ['Asia/Tehran', '1977-03-21T23:30', '1977-03-21T19:30Z'],
    ['Europe/Bucharest', '1980-04-05T23:10', '1980-04-05T21:00Z'],
    ['Europe/Madrid', '1976-03-27T23:30', '1976-03-27T22:00Z'],
    ['Europe/Sofia', '1982-04-03T23:00', '1982-04-03T21:00Z'],
    ['Pacific/Efate', '1973-12-22T23:30', '1973-12-22T12:00Z'],
    // A whole day was skipped.
    ['Pacific/Apia', '2011-12-30T09:00', '2011-12-30T10:00Z'],
    ['Pacific/Fakaofo', '2011-12-30T00:00', '2011-12-30T11:00Z'],
    ['Pacific/Enderbury', '1994-12-31T23:59', '1994-12-31T11:00Z'],
    ['Pacific/Kiritimati', '1994-12-31T12:00', '1994-12-31T10:00Z'],
    ['Pacific/Kwajalein', '1993-08-21T06:00', '1993-08-21T12:00Z'],
  ] as const
  const HOUR = 3_600_000

  it.each(gaps)('in %s runs what is due at %s at %s, from wherever it is computed', (zone, skipped, end) => {
    const [hour, minute] = skipped.slice(11).split(':').map(Number)
    const job = cron(`${minute} ${hour} * * *`, zone)
    const previous = job.last(2, at(end))[0] ?? 0
    for (const before of [1, 1_000, 30_000, at(end) - previous])
      expect(cron(job.source.cron ?? '', zone).next(at(end) - before)).toBe(at(end))
    for (const after of [0, 1, 999, 1_000, HOUR]) expect(job.last(1, at(end) + after)).toEqual([at(end)])
    // One tick for each date, the next one a day of that zone later.
    const ticks = between(job, show(at(end) - 72 * HOUR - 1), show(at(end) + 60 * HOUR)).map(at)
    expect(ticks).toContain(at(end))
    expect(job.last(ticks.length, at(end) + 60 * HOUR - 1)).toEqual(ticks)
    const [date, time] = skipped.split('T')
    const yearly = cron(`${minute} ${hour} ${Number(date?.slice(8))} ${Number(date?.slice(5, 7))} *`, zone)
    expect(yearly.next(at(end) - 10 * 24 * HOUR), time).toBe(at(end))
  })

  it('has one tick where the skipped time and the end of the gap are due together', () => {
    const job = cron('0 0 * * *', 'Pacific/Apia')
    expect(between(job, '2011-12-29T00:00:00Z', '2012-01-01T00:00:00Z')).toEqual([
      '2011-12-29T10:00:00Z',
      '2011-12-30T10:00:00Z',
      '2011-12-31T10:00:00Z',
    ])
    expect(job.last(3, at('2012-01-01T00:00:00Z')).map(show)).toEqual([
      '2011-12-29T10:00:00Z',
      '2011-12-30T10:00:00Z',
      '2011-12-31T10:00:00Z',
    ])
  })

  it('ticks at the first of two times where hours are set back', () => {
    const job = cron('50 22 * * *', 'Antarctica/Vostok') // Seven hours, on 31 January 1994.
    expect(between(job, '1994-01-30T16:00:00Z', '1994-02-02T00:00:00Z')).toEqual([
      '1994-01-31T15:50:00Z',
      '1994-02-01T22:50:00Z',
    ])
  })

  it('has no tick for a job with several times a day', () => {
    const job = cron('0,30 23 * * *', 'America/Nuuk')
    expect(between(job, '2024-03-30T12:00:00Z', '2024-03-31T12:00:00Z')).toEqual([])
  })
})

describe('a job with a fixed time', () => {
  const zones = Intl.supportedValuesOf('timeZone')
  const pattern = fc
    .tuple(
      fc.integer({ min: 0, max: 59 }),
      fc.integer({ min: 0, max: 23 }),
      fc.constantFrom('* * *', '1 * *', '* * 0', 'L * *'),
    )
    .map(([minute, hour, days]) => `${minute} ${hour} ${days}`)
  const instant = fc.integer({ min: at('1970-02-01T00:00:00Z'), max: at('2037-12-01T00:00:00Z') })

  it('ticks as croner says in every zone, but for those gaps', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), pattern, instant, (zone, text, from) => {
        const [job, croner] = [cron(text, zone), new Cron(text, { timezone: zone, paused: true })]
        let time = from
        for (let count = 0; count < 40; count++) {
          const tick = job.next(time) ?? 0
          const theirs = croner.nextRun(new Date(time))?.getTime() ?? 0
          if (tick !== theirs) {
            // Midnight there, right after a gap; or a time that comes twice, of which croner takes the second where
            // hours are set back.
            expect(tick).toBeLessThan(theirs)
            const shown = (time: number): string => new Date(time).toLocaleString('en-GB', { timeZone: zone })
            if (!shown(tick).endsWith('00:00:00')) expect(shown(tick)).toBe(shown(theirs))
          }
          expect(job.last(1, tick)).toEqual([tick])
          expect(job.last(2, tick)[0] ?? 0).toBeLessThanOrEqual(time)
          time = tick
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('a pattern that never ticks', () => {
  it('is warned of at the start, and when its job is registered later', async () => {
    const lines: unknown[] = []
    const warn = (fields: object, message?: string): void => void lines.push([fields, message])
    const cluster = new Cluster()
    const node = cluster.node({ logger: { debug: () => {}, info: () => {}, warn, error: warn } })
    cluster.job({ cron: '30 2 30 2 *' })
    cluster.job({ name: 'fine', cron: '30 2 29 2 +1' })
    await cluster.start()
    node.scheduler.job({ name: 'past', cron: '0 0 0 1 1 * 2020', timezone: 'Asia/Tokyo', lockAtMostFor: 1 }, () => {})
    const message = 'job never runs: its schedule has no tick any more'
    expect(lines).toEqual([
      [{ job: 'job', cron: '30 2 30 2 *', timezone: 'UTC' }, message],
      [{ job: 'past', cron: '0 0 0 1 1 * 2020', timezone: 'Asia/Tokyo' }, message],
    ])
  })

  it.each(['30 2 30 2 *', '0 0 31 4,6,9,11 *', '0 0 0 1 1 * 2020', '*/5 2 31 2 *'])('%s is searched once', (text) => {
    const job = cron(text, 'Europe/Berlin')
    const now = at('2026-01-01T00:00:00Z')
    job.next(now)
    const newest = job.last(1, now)
    const began = process.cpuUsage()
    for (let look = 0; look < 200; look++) {
      expect(job.next(now + look * 1_000)).toBeUndefined()
      if (newest.length === 0) expect(job.last(1, now + look * 1_000)).toEqual([])
    }
    // A single search of croner takes 2 to 75 ms.
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(500)
  })

  it('may tick rarely: 29 February on a Monday', () => {
    const job = cron('0 0 29 2 +1')
    expect(show(job.next(at('2026-01-01T00:00:00Z')) ?? 0)).toBe('2044-02-29T00:00:00Z')
    expect(job.next(at('2044-02-28T23:59:59Z'))).toBe(at('2044-02-29T00:00:00Z'))
    expect(job.last(1, at('2026-01-01T00:00:00Z')).map(show)).toEqual(['2016-02-29T00:00:00Z'])
    expect(show(job.next(at('2000-01-01T00:00:00Z')) ?? 0)).toBe('2016-02-29T00:00:00Z')
  })
})

describe('an interval', () => {
  it('ticks at whole multiples since the epoch, so that all nodes agree', () => {
    expect(every('7s').next(0)).toBe(7_000)
    expect(every('7s').next(7_000 * 1e8 + 1)).toBe(7_000 * (1e8 + 1))
    expect(every(10).next(12.3)).toBe(20)
    expect(every('1h').last(2, 7_200_000)).toEqual([3_600_000, 7_200_000])
  })

  it('has no tick before the epoch', () => {
    expect(every('1h').last(5, 3_600_001)).toEqual([0, 3_600_000])
  })
})

describe('looking back', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/Sao_Paulo']
  const patterns = [
    '* * * * *',
    '*/7 * * * *',
    '30 2 * * *',
    '15,45 1-3 * * *',
    '*/20 2 * * *',
    '0 0 * * *',
    '0 0 L * *',
    '0 9 * * 1-5',
    '0 12 * * MON#2',
    '17 */5 * * * *',
    '*/11 * * * * *',
    '0 3 1 1,7 *',
    '0 2 * * SUN',
    '@hourly',
  ]
  const transitions = [
    '2024-03-31T01:00:00Z',
    '2024-10-27T01:00:00Z',
    '2024-03-10T07:00:00Z',
    '2024-11-03T06:00:00Z',
    '2024-10-05T15:30:00Z',
    '2024-04-06T15:00:00Z',
    '2018-11-04T03:00:00Z',
  ].map(at)
  const instant = fc.oneof(
    fc.integer({ min: at('2000-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') }),
    fc.tuple(fc.constantFrom(...transitions), fc.integer({ min: -10_800_000, max: 10_800_000 })).map(([a, b]) => a + b),
  )
  const schedule = fc.oneof(
    fc.tuple(fc.constantFrom(...patterns), fc.constantFrom(...zones)).map(([pattern, zone]) => cron(pattern, zone)),
    fc.integer({ min: 10, max: 1e9 }).map(every),
  )

  it('finds the very ticks that looking forward does, also around daylight saving', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(schedule, instant, fc.integer({ min: 1, max: 8 }), (any, time, count) => {
        const last = any.last(count, time)
        const first = last[0]
        expect(last.length).toBe(count)
        if (first === undefined) return
        const forward: number[] = []
        for (let tick = any.next(first - 1); tick !== undefined && tick <= time; tick = any.next(tick)) {
          forward.push(tick)
          if (forward.length > count) break
        }
        expect(last).toEqual(forward)
      }),
      { numRuns: 300 },
    )
  })

  it('by steps finds the same as by one look', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(
        schedule,
        instant,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 1e8 }),
        (any, time, count, back) => {
          expect(ticksBetween(any, time - back, time, count)).toEqual(
            any.last(count, time).filter((tick) => tick > time - back),
          )
        },
      ),
      { numRuns: 50 },
    )
  })

  it('looks no further than there is something to find', () => {
    const asked: number[] = []
    const spied: Schedule = {
      ...every('1s'),
      last: (count, time) => {
        asked.push(count)
        return every('1s').last(count, time)
      },
    }
    expect(ticksBetween(spied, 9_000, 10_500, 1000)).toEqual([10_000])
    expect(asked).toEqual([4])
  })
})

describe('a pattern that is wrong', () => {
  it.each([
    ['0 0 1 13 *', 'month is "13", and takes 1 to 12 or JAN to DEC'],
    ['0 0 1 0 *', 'month is "0", and takes'],
    ['0 0 1 1,6,14 *', 'month is "14", and takes'],
    ['0 0 1 FOO *', 'month is "FOO", and takes'],
    ['0 0 1 JAN-FOO *', 'month is "JAN-FOO", and takes'],
    ['0 0 32 * *', 'day of month is "32", and takes 1 to 31'],
    ['0 0 0 * *', 'day of month is "0", and takes'],
    ['0 0 20-32 * *', 'day of month is "20-32", and takes'],
    ['0 0 32W * *', 'day of month is "32W", and takes'],
    ['0 0 1-40/2 * *', 'day of month is "1-40/2", and takes'],
    ['0 0 * * 8', 'day of week is "8", and takes 0 to 7 or SUN to SAT'],
    ['0 0 * * MON#6', 'day of week is "MON#6", and takes'],
    ['0 0 * * 5-1', 'day of week is "5-1", and takes 0 to 7'],
    ['0 24 * * *', 'hour is "24", and takes 0 to 23'],
    ['0 9-25 * * *', 'hour is "9-25", and takes'],
    ['5/15 * * * *', 'minute is "5/15", and takes 0 to 59; a range goes from low to high, such as 1-5, and a step is'],
    ['60 0 0 * * *', 'second is "60", and takes 0 to 59'],
    ['0 60 0 * * *', 'minute is "60", and takes 0 to 59'],
    ['0 0 0 1 1 * 10000', 'year is "10000", and takes 1 to 9999'],
    ['* * * *', 'it has 4 fields; a pattern has 5, or 6 with seconds first, or 7 with years last'],
    ['', 'it has no fields; a pattern has 5'],
    ['@fortnightly', 'there is no such nickname; there are @yearly,'],
    ['@reboot', 'there is no such nickname; there are @yearly,'],
  ])('%s is told with the number that stands there', (text, why) => {
    expect(() => cron(text)).toThrow(`can't be read: ${why}`)
  })
})

describe('a wrong schedule', () => {
  it.each([
    [{}, 'job "x": give exactly one of cron and every, not none'],
    [{ cron: '* * * * *', every: '1s' }, 'job "x": give exactly one of cron and every, not both'],
    [{ cron: '61 * * * *' }, 'job "x": cron "61 * * * *" can\'t be read: minute is "61", and takes 0 to 59'],
    [{ cron: 5 }, 'job "x": cron must be a pattern, but is 5'],
    [
      { cron: '2030-01-01T00:00:00Z' },
      'job "x": cron must be a pattern such as \'0 2 * * *\', not a date, but is "2030-01-01T00:00:00Z"',
    ],
    [
      { cron: '* * * * *', timezone: 'Europe/Atlantis' },
      'job "x": timezone must be a name such as \'Europe/Berlin\' or \'UTC\', but is "Europe/Atlantis"',
    ],
    [
      { cron: '* * * * *', timezone: '' },
      'job "x": timezone must be a name such as \'Europe/Berlin\' or \'UTC\', but is ""',
    ],
    [
      { cron: '* * * * *', timezone: null },
      "job \"x\": timezone must be a name such as 'Europe/Berlin' or 'UTC', but is null",
    ],
    [{ every: '1s', timezone: 'UTC' }, 'job "x": timezone goes with cron, not with every'],
    [{ every: 9 }, 'job "x": every must be a duration from 10 ms to 100 years, but is 9'],
    [
      { every: '10 parsecs' },
      "job \"x\": every must be milliseconds as a number, or a string such as '500ms', '10s', '5m', '1h30m' or 'PT10M', but is \"10 parsecs\"",
    ],
  ])('%j is refused by name', (options, message) => {
    expect(() => readSchedule(options as never, 'job "x"')).toThrow(message)
  })
})
