import { describe, expect, it } from 'vitest'
import { memory } from '../../../providers/memory/index.ts'
import { exponentialBackoff, InvalidOptionError, Locker, limitRetry, linearBackoff } from '../../../src/index.ts'

const locker = new Locker({ provider: memory() })
const obtain = (name: unknown, options: unknown): Promise<unknown> => locker.obtain(name as string, options as string)
const wrong = (promise: Promise<unknown>, message: string): Promise<void> =>
  expect(promise).rejects.toThrow(new InvalidOptionError(message))

describe('a wrong option of a lock is an error that names the lock, the option and the value', () => {
  const durations = "milliseconds as a number, or a string such as '500ms', '10s', '5m', '1h30m' or 'PT10M'"

  it.each([
    ['10 parsecs', `lock "j": lockAtMostFor must be ${durations}, but is "10 parsecs"`],
    [Number.NaN, `lock "j": lockAtMostFor must be ${durations}, but is NaN`],
    [-1, 'lock "j": lockAtMostFor must be a duration from 1 ms to 100 years, but is -1'],
    [0, 'lock "j": lockAtMostFor must be a duration from 1 ms to 100 years, but is 0'],
    ['0s', 'lock "j": lockAtMostFor must be a duration from 1 ms to 100 years, but is "0s"'],
    [Number.POSITIVE_INFINITY, 'lock "j": lockAtMostFor must be a duration from 1 ms to 100 years, but is Infinity'],
    [undefined, `lock "j": lockAtMostFor must be ${durations}, but is undefined`],
    [{}, `lock "j": lockAtMostFor must be ${durations}, but is undefined`],
    [
      { lockAtMostFor: 1, lockAtMost: 2 },
      'lock "j": unknown option "lockAtMost"; the options are lockAtMostFor, lockAtLeastFor, retry, signal, metadata, tick, onCrash',
    ],
    [
      { lockAtMostFor: '1s', lockAtLeastFor: '2s' },
      'lock "j": lockAtLeastFor must not be longer than lockAtMostFor, but is "2s" with a lockAtMostFor of "1s"',
    ],
    [
      { lockAtMostFor: 1, retry: '100ms' },
      `lock "j": retry must be a retry strategy such as linearBackoff('100ms'), but is "100ms"`,
    ],
    [{ lockAtMostFor: 1, onCrash: 'retry' }, 'lock "j": onCrash must be "skip" or "rerun", but is "retry"'],
    [{ lockAtMostFor: 1, tick: 5 }, 'lock "j": tick must be a valid Date from 1970 on, but is 5'],
    [{ lockAtMostFor: 1, tick: new Date('x') }, 'lock "j": tick must be a valid Date from 1970 on, but is an object'],
    [{ lockAtMostFor: 1, metadata: 'x'.repeat(4097) }, /^lock "j": metadata must be a text of at most 4096 characters/],
    [{ lockAtMostFor: '1m', retry: () => -5 }, undefined],
    [null, 'lock "j": options must be an object, but are null'],
  ])('%o', async (options, message) => {
    if (message === undefined) return void (await obtain('j', options)) // asked once, and granted
    if (message instanceof RegExp) return expect(obtain('j', options)).rejects.toThrow(message)
    await wrong(obtain('j', options), message)
  })

  it.each(['', ' j', 'j\n', 'x'.repeat(256), 'a\0b', 'half \ud800', 5, undefined])('name %o', async (name) => {
    await expect(obtain(name, '1s')).rejects.toThrow(
      /^lock: name must be a text of 1 to 255 characters without white space/,
    )
  })

  it('a strategy that answers nonsense', async () => {
    const held = await locker.obtain('held', '1m')
    const retry = (): number => Number.NaN
    await wrong(
      obtain('held', { lockAtMostFor: 1, retry }),
      'lock "held": retry must answer ms from 0, or undefined to give up, but answered NaN',
    )
    await held.release()
  })

  it('a strategy of nonsense', () => {
    expect(() => linearBackoff(0)).toThrow('linearBackoff: pause must be a duration from 1 ms to 100 years, but is 0')
    expect(() => exponentialBackoff(10, 5)).toThrow(
      'exponentialBackoff: max must be a duration from 10 ms to 100 years, but is 5',
    )
    expect(() => limitRetry(linearBackoff(1), -1)).toThrow(
      'limitRetry: retries must be a whole number from 0, but is -1',
    )
  })

  it.each([
    [
      {},
      'Locker: provider must have the methods acquire, extend, release, read, forceRelease, reset, prune, close, but has no acquire, extend, release, read, forceRelease, reset, prune, close',
    ],
    [
      { provider: memory(), timeout: 5 },
      'Locker: unknown option "timeout"; the options are provider, label, storeTimeout, maxClockSkew, clock',
    ],
    [
      { provider: memory(), storeTimeout: 0 },
      'Locker: storeTimeout must be a duration from 1 ms to 100 years, but is 0',
    ],
    [{ provider: memory(), label: '' }, 'Locker: label must be a text of 1 to 200 characters, but is ""'],
  ])('of a locker: %o', (options, message) => {
    expect(() => new Locker(options as never)).toThrow(new InvalidOptionError(message))
  })
})
