import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { memory } from '../../../providers/memory/index.ts'
import { currentLock, Locker, StoreError } from '../../../src/index.ts'
import { locked, type Skip } from '../../../src/locked/index.ts'

const newLocker = (): Locker => new Locker({ provider: memory() })
const failing = (): Locker => {
  const provider = memory()
  return new Locker({
    provider: { ...provider, acquire: () => Promise.reject(new Error('the store is down')) },
  })
}
const lockAtMostFor = '1m'
const tick = (): Date => new Date('2021-03-04T02:00:00Z')

describe('locked', () => {
  it('passes this, arguments and value on, under the lock', async () => {
    const report = locked(
      { locker: newLocker(), name: 'a', lockAtMostFor },
      async function (this: { factor: number }, by: number) {
        return [this.factor * by, currentLock()?.name]
      },
    )
    expect(await report.call({ factor: 3 }, 14)).toEqual([42, 'a'])
  })

  it('makes name and tick from the call', async () => {
    const locker = newLocker()
    const seen: string[] = []
    const run = locked(
      { locker, name: (id: string) => `job:${id}`, tick: (_: string, time: Date) => time, lockAtMostFor },
      (id: string, _: Date) => void seen.push(id),
    )
    for (const id of ['a', 'b', 'a']) await run(id, tick())
    expect(seen).toEqual(['a', 'b'])
  })

  it('runs a tick once although the first call has ended long ago', async () => {
    const locker = newLocker()
    const runs: number[] = []
    const run = locked({ locker, name: 'a', tick, lockAtMostFor }, () => runs.push(1))
    expect(await run()).toBe(1)
    expect(await run()).toBeUndefined()
  })

  it('tells of a skip by an event, a callback with the arguments, or an error', async () => {
    const locker = newLocker()
    await locker.withLock({ name: 'a', lockAtMostFor, tick: tick() }, () => {})
    const events = new EventEmitter()
    const told: Skip[] = []
    events.on('skipped', (skip) => void told.push(skip))
    const options = { locker, name: 'a', tick, lockAtMostFor, events }
    expect(await locked(options, () => 1)()).toBeUndefined()
    const onSkip = (skip: Skip, id: number): string => `${skip.reason} ${id}`
    expect(await locked({ ...options, onSkip }, (id: number) => id)(7)).toBe('tick-taken 7')
    await expect(locked({ ...options, onSkip: 'throw' }, () => 1)()).rejects.toMatchObject({
      code: 'NOT_OBTAINED',
      reason: 'tick-taken',
    })
    expect(told).toHaveLength(3)
    expect(told[0]).toMatchObject({ name: 'a', reason: 'tick-taken', tick: tick() })
  })

  it('keeps what a listener throws from changing the outcome', async () => {
    const locker = newLocker()
    await using _lock = await locker.obtain('a', lockAtMostFor)
    const events = {
      emit(): never {
        throw new Error('the listener')
      },
    }
    expect(await locked({ locker, name: 'a', lockAtMostFor, events }, () => 1)()).toBeUndefined()
  })

  it('rejects, skips or runs when the store fails, as it is told', async () => {
    const locker = failing()
    const options = { locker, name: 'a', lockAtMostFor } as const
    await expect(locked(options, () => 1)()).rejects.toBeInstanceOf(StoreError)
    const skips: Skip[] = []
    const skipping = { ...options, onStoreError: 'skip', onSkip: (skip: Skip) => skips.push(skip) } as const
    expect(await locked(skipping, () => 'ran')()).toBe(1)
    expect(skips).toMatchObject([{ reason: 'store-error', error: { code: 'STORE' } }])
    await expect(locked({ ...options, onStoreError: 'skip', onSkip: 'throw' }, () => 1)()).rejects.toMatchObject({
      code: 'STORE',
    })
    expect(await locked({ ...options, onStoreError: 'run' }, () => 'ran')()).toBe('ran')
  })

  it('never runs the work twice when the work itself fails with a StoreError', async () => {
    let runs = 0
    const work = (): never => {
      runs++
      throw new StoreError('of another store')
    }
    const options = { locker: newLocker(), name: 'a', lockAtMostFor, onStoreError: 'run' } as const
    await expect(locked(options, work)()).rejects.toThrow('of another store')
    expect(runs).toBe(1)
  })

  it('has no value of its own for a skipped call with onSkip "throw", by its type', async () => {
    const value: number = await locked({ locker: newLocker(), name: 'a', lockAtMostFor, onSkip: 'throw' }, () => 1)()
    expect(value).toBe(1)
  })

  it.each([
    [{ name: '' }, /name must be/],
    [{ lockAtMostFor: undefined }, /lock "a": lockAtMostFor must be/],
    [{ lockAtLeastFor: '2m' }, /lock "a": lockAtLeastFor must not be longer/],
    [{ onSkip: 'ignore' }, /lock "a": onSkip must be "throw" or a function, but is "ignore"/],
    [{ onStoreError: 'retry' }, /lock "a": onStoreError must be/],
    [{ tick: new Date() }, /lock "a": tick must be a function/],
    [{ tick, cron: '* * * * *' }, /lock "a": tick contradicts cron/],
    [{ tick, every: '1s' }, /lock "a": tick contradicts every/],
    [{ crom: '* * * * *' }, /lock "a": unknown option "crom"/],
    [{ keepAlive: 'yes' }, /lock "a": keepAlive must be/],
    [{ events: {} }, /lock "a": events must have the methods emit/],
    [{ locker: {} }, /locker must have the methods withLock/],
  ])('refuses %j at once', (wrong, message) => {
    const options = { locker: newLocker(), name: 'a', lockAtMostFor, ...wrong } as never
    expect(() => locked(options, () => {})).toThrow(message)
  })
})
