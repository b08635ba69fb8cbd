import { describe, expect, it } from 'vitest'
import { memory } from '../../../providers/memory/memory.ts'
import { isInvalidOption } from '../../../src/errors.ts'
import { Scheduler } from '../../../src/scheduler/scheduler.ts'

const lease = { lockAtMostFor: '1m' }
const good = { name: 'x', every: '1s', ...lease }
const OPTIONS =
  'name, cron, timezone, every, expectEvery, metadata, lockAtMostFor, lockAtLeastFor, keepAlive, onCrash, catchUp, runOnStart, jitter, graceFor, onStoreError'
const DURATION = "must be milliseconds as a number, or a string such as '500ms', '10s', '5m', '1h30m' or 'PT10M'"

const refusal = (make: () => unknown): string => {
  try {
    make()
  } catch (error) {
    expect(isInvalidOption(error)).toBe(true)
    return (error as Error).message
  }
  return 'was not refused'
}

describe('a job with a wrong option is refused, by its name, the option and the value', () => {
  it.each<[unknown, string]>([
    [{ ...good, lockAtMostFor: undefined }, `job "x": lockAtMostFor ${DURATION}, but is undefined`],
    [{ ...good, lockAtMostFor: 0 }, 'job "x": lockAtMostFor must be a duration from 1 ms to 100 years, but is 0'],
    [{ ...good, lockAtMostFor: -5 }, 'job "x": lockAtMostFor must be a duration from 1 ms to 100 years, but is -5'],
    [{ ...good, lockAtMostFor: Number.NaN }, `job "x": lockAtMostFor ${DURATION}, but is NaN`],
    [{ ...good, lockAtMostFor: '10 parsecs' }, `job "x": lockAtMostFor ${DURATION}, but is "10 parsecs"`],
    [
      { ...good, lockAtLeastFor: '2m' },
      'job "x": lockAtLeastFor must not be longer than lockAtMostFor, but is "2m" with a lockAtMostFor of "1m"',
    ],
    [{ ...good, keepAlive: 'yes' }, 'job "x": keepAlive must be true or false, but is "yes"'],
    [
      { ...good, expectEvery: '10ms' },
      'job "x": expectEvery must be a duration from 1000 ms to 100 years, but is "10ms"',
    ],
    [{ ...good, runOnStart: 1 }, 'job "x": runOnStart must be true or false, but is 1'],
    [{ ...good, onCrash: 'retry' }, 'job "x": onCrash must be "skip" or "rerun", but is "retry"'],
    [{ ...good, onStoreError: 'open' }, 'job "x": onStoreError must be "skip" or "run", but is "open"'],
    [{ ...good, catchUp: 'all' }, 'job "x": catchUp must be \'none\', \'latest\' or { window, max }, but is "all"'],
    [
      { ...good, catchUp: { window: '1h' } },
      'job "x": catchUp.max must be a whole number from 1 to 1000, but is undefined',
    ],
    [
      { ...good, catchUp: { window: '1h', max: 1.5 } },
      'job "x": catchUp.max must be a whole number from 1 to 1000, but is 1.5',
    ],
    [
      { ...good, catchUp: { window: 0, max: 1 } },
      'job "x": catchUp.window must be a duration from 1 ms to 100 years, but is 0',
    ],
    [
      { ...good, catchUp: { window: 1, max: 1, min: 1 } },
      'job "x": catchUp: unknown option "min"; the options are window, max',
    ],
    [{ ...good, jitter: -1 }, 'job "x": jitter must be a duration from 0 ms to 100 years, but is -1'],
    [{ ...good, graceFor: 0 }, 'job "x": graceFor must be a duration from 100 ms to 100 years, but is 0'],
    [{ ...good, lockAtMost: '1m' }, `job "x": unknown option "lockAtMost"; the options are ${OPTIONS}`],
    [
      { ...good, metadata: 5 },
      'job "x": metadata must be a text of at most 4096 characters without NUL or half a surrogate pair, but is 5',
    ],
    [
      { ...good, name: '' },
      'job: name must be a text of 1 to 255 characters without white space at its ends, NUL or half a surrogate pair, but is ""',
    ],
    [
      undefined,
      'job: name must be a text of 1 to 255 characters without white space at its ends, NUL or half a surrogate pair, but is undefined',
    ],
    [{ name: 'x', ...lease }, 'job "x": give exactly one of cron and every, not none'],
  ])('%j', (options, message) => {
    const scheduler = new Scheduler({ provider: memory() })
    expect(refusal(() => scheduler.job(options as never, () => {}))).toBe(message)
    expect(scheduler.jobs).toEqual([])
  })

  it('and so is work that is no function', () => {
    const scheduler = new Scheduler({ provider: memory() })
    const message = 'job "x": the work must be a function, but is undefined'
    expect(refusal(() => scheduler.job(good, undefined as never))).toBe(message)
  })

  it('and so is a name used twice, while another scheduler may have the same', () => {
    const [scheduler, other] = [new Scheduler({ provider: memory() }), new Scheduler({ provider: memory() })]
    scheduler.job(good, () => {})
    expect(refusal(() => scheduler.job(good, () => {}))).toBe('job "x": name is used by another job of this scheduler')
    other.job(good, () => {})
    expect(scheduler.remove('x')).toBe(true)
    expect(scheduler.job(good, () => {}).jobs).toEqual(['x'])
  })
})

describe('a scheduler with a wrong option is refused, by the option and the value', () => {
  const SCHEDULER =
    'provider, defaults, logger, label, storeTimeout, maxClockSkew, spread, keepProviderOpen, clock, random'
  it.each<[object, string]>([
    [
      { provider: undefined },
      'Scheduler: provider must have the methods acquire, extend, release, read, forceRelease, reset, prune, close, but has no acquire, extend, release, read, forceRelease, reset, prune, close',
    ],
    [{ store: 1 }, `Scheduler: unknown option "store"; the options are ${SCHEDULER}`],
    [
      { logger: {} },
      'Scheduler: logger must have the methods debug, info, warn, error, but has no debug, info, warn, error',
    ],
    [{ label: '' }, 'Scheduler: label must be a text of 1 to 200 characters, but is ""'],
    [{ storeTimeout: 0 }, 'Scheduler: storeTimeout must be a duration from 1 ms to 100 years, but is 0'],
    [{ maxClockSkew: -1 }, 'Scheduler: maxClockSkew must be a duration from 0 ms to 100 years, but is -1'],
    [{ spread: 'no' }, 'Scheduler: spread must be true or false, but is "no"'],
    [{ keepProviderOpen: 'no' }, 'Scheduler: keepProviderOpen must be true or false, but is "no"'],
    [
      { clock: {} },
      'Scheduler: clock must have the methods now, monotonic, setTimer, but has no now, monotonic, setTimer',
    ],
    [{ random: 0.5 }, 'Scheduler: random must be a function, but is 0.5'],
    [{ defaults: 5 }, 'Scheduler defaults: options must be an object, but are 5'],
    [
      { defaults: { cron: '* * * * *' } },
      'Scheduler defaults: unknown option "cron"; the options are lockAtMostFor, lockAtLeastFor, keepAlive, onCrash, catchUp, runOnStart, jitter, graceFor, onStoreError',
    ],
    [{ defaults: { onCrash: 'x' } }, 'Scheduler defaults: onCrash must be "skip" or "rerun", but is "x"'],
    [
      { defaults: { lockAtMostFor: '1s', lockAtLeastFor: '2s' } },
      'Scheduler defaults: lockAtLeastFor must not be longer than lockAtMostFor, but is "2s" with a lockAtMostFor of "1s"',
    ],
  ])('%j', (options, message) => {
    expect(refusal(() => new Scheduler({ provider: memory(), ...options } as never))).toBe(message)
  })

  it('takes a lockAtLeastFor alone among the defaults, however long', () => {
    const scheduler = new Scheduler({ provider: memory(), defaults: { lockAtLeastFor: '2d' } })
    expect(scheduler.job({ name: 'x', every: '1d', lockAtMostFor: '3d' }, () => {}).jobs).toEqual(['x'])
    expect(refusal(() => scheduler.job({ ...good, name: 'y' }, () => {}))).toContain(
      'lockAtLeastFor must not be longer',
    )
  })

  it('takes what the job says before the defaults, and the defaults where it says undefined', () => {
    const scheduler = new Scheduler({ provider: memory(), defaults: { lockAtMostFor: '1m' } })
    scheduler.job({ name: 'x', every: '1s', lockAtMostFor: undefined }, () => {})
    expect(refusal(() => scheduler.job({ name: 'y', every: '1s', lockAtMostFor: 0 }, () => {}))).toContain('but is 0')
  })

  it('refuses to count ticks without end, and to look for jobs that are not there', () => {
    const scheduler = new Scheduler({ provider: memory() }).job(good, () => {})
    const count = 'nextTicks: count must be a whole number from 1 to 1000, but is Infinity'
    expect(refusal(() => scheduler.nextTicks('x', Number.POSITIVE_INFINITY))).toBe(count)
    expect(refusal(() => scheduler.nextTicks('y'))).toBe('job "y": there is none of that name in this scheduler')
    expect(scheduler.nextTicks('x', 3)).toHaveLength(3)
  })
})
