import { getEventListeners } from 'node:events'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { memory } from '../../../providers/memory/memory.ts'
import {
  ErrNotObtained,
  exponentialBackoff,
  Locker,
  limitRetry,
  linearBackoff,
  noRetry,
  StoreError,
} from '../../../src/index.ts'
import { ManualClock } from '../../../src/testing/index.ts'
import { type TroubledProvider, troubledProvider } from '../troubled-provider.ts'

let clock: ManualClock
let provider: TroubledProvider
let locker: Locker
let other: Locker
const failure = (promise: Promise<unknown>): Promise<unknown> => promise.catch((thrown: unknown) => thrown)
const asked = (): number => provider.calls.filter(({ verb }) => verb === 'acquire').length

beforeEach(() => {
  clock = new ManualClock()
  provider = troubledProvider(clock)
  locker = new Locker({ provider, clock, label: 'here' })
  other = new Locker({ provider, clock, label: 'there' })
})

describe('waiting for a lock', () => {
  it('asks once by default', async () => {
    await other.obtain('job', '1m')
    expect(await failure(locker.obtain('job', { lockAtMostFor: '1m', retry: noRetry() }))).toBeInstanceOf(
      ErrNotObtained,
    )
    expect(await failure(locker.obtain('job', '1m'))).toBeInstanceOf(ErrNotObtained)
    expect(asked()).toBe(3)
  })

  it('obtains it as soon as an ask finds it free', async () => {
    const held = await other.obtain('job', '1m')
    const waiting = locker.obtain('job', { lockAtMostFor: '1m', retry: linearBackoff('100ms') })
    await clock.advance(250)
    await held.release()
    await clock.advance(50)
    expect((await waiting).held).toBe(true)
    expect(asked()).toBe(1 + 4)
  })

  it('waits longer each time, up to a limit, with exponential backoff', async () => {
    const strategy = exponentialBackoff('10ms', '45ms')
    expect([1, 2, 3, 4, 5, 1000].map(strategy)).toEqual([10, 20, 40, 45, 45, 45])
  })

  it('gives up after a number of further asks', async () => {
    await other.obtain('job', '1m')
    const retry = limitRetry(linearBackoff('100ms'), 3)
    const waiting = failure(locker.obtain('job', { lockAtMostFor: '1m', retry }))
    await clock.advance(300)
    expect(await waiting).toMatchObject({ code: 'NOT_OBTAINED', reason: 'held', heldBy: 'there' })
    expect(asked()).toBe(1 + 4)
  })

  it('ends with the reason of the signal as the cause, and leaves no timer', async () => {
    await other.obtain('job', '1m')
    const abort = new AbortController()
    const idle = clock.pending
    const waiting = failure(
      locker.obtain('job', { lockAtMostFor: '1m', retry: linearBackoff('10s'), signal: abort.signal }),
    )
    await clock.advance(5_000)
    abort.abort(new Error('changed my mind'))
    expect(await waiting).toMatchObject({ code: 'NOT_OBTAINED', cause: new Error('changed my mind'), heldBy: 'there' })
    expect(clock.pending).toBe(idle)
  })

  it('does not ask at all with a signal that has aborted, or gives back what it got', async () => {
    const signal = AbortSignal.abort(new Error('too late'))
    expect(await failure(locker.obtain('job', { lockAtMostFor: '1m', signal }))).toMatchObject({
      cause: new Error('too late'),
    })
    await clock.settle()
    expect(await other.tryObtain('job', 100)).toBeDefined()
  })

  it('does not wait for a tick that was granted: it never comes free', async () => {
    const tick = new Date(clock.now())
    const first = await other.obtain('job', { lockAtMostFor: '1m', tick })
    await first.release()
    const error = await failure(locker.obtain('job', { lockAtMostFor: '1m', tick, retry: linearBackoff(1) }))
    expect(error).toMatchObject({ reason: 'tick-taken', heldBy: 'there', heldUntil: undefined })
    expect(asked()).toBe(2)
  })

  it('refuses a tick too far ahead of the clock of the store', async () => {
    const tick = new Date(clock.now() + 60_001)
    expect(await failure(locker.obtain('job', { lockAtMostFor: '1m', tick }))).toMatchObject({ reason: 'clock-ahead' })
    const strict = new Locker({ provider, clock, maxClockSkew: '1s' })
    const soon = new Date(clock.now() + 1_001)
    expect(await failure(strict.obtain('job', { lockAtMostFor: 1, tick: soon }))).toMatchObject({
      reason: 'clock-ahead',
    })
    expect(await locker.obtain('job', { lockAtMostFor: '1m', tick: soon })).toBeDefined()
  })
})

describe('a store in trouble', () => {
  it('is a StoreError, never a refusal', async () => {
    provider.down = true
    const error = await failure(locker.obtain('job', '1m'))
    expect(error).toBeInstanceOf(StoreError)
    expect(error).toMatchObject({
      message: 'could not acquire lock "job": connection refused',
      cause: new Error('connection refused'),
    })
    await expect(locker.tryObtain('job', '1m')).rejects.toBeInstanceOf(StoreError)
  })

  it('is not waited for longer than the timeout, nor than the lease', async () => {
    provider.meets('acquire', { kind: 'black-hole' }, { kind: 'black-hole' })
    const patient = failure(locker.obtain('job', '1m'))
    await clock.advance(4_999)
    expect(clock.pending).toBe(1)
    await clock.advance(1)
    expect(await patient).toBeInstanceOf(StoreError)
    const brief = failure(locker.obtain('job', 100))
    await clock.advance(100)
    expect(await brief).toMatchObject({ message: expect.stringContaining('did not respond within 100 ms') })
  })

  it('gives a grant back whose reply comes when nobody waits for it any more', async () => {
    provider.meets('acquire', { kind: 'late-reply', after: 8_000 })
    const obtained = failure(locker.obtain('job', '10m'))
    await clock.advance(5_000)
    expect(await obtained).toBeInstanceOf(StoreError)
    await clock.advance(3_000)
    expect(await other.tryObtain('job', '1m')).toBeDefined()
  })

  it('never hands out a grant whose reply came after the lease had ended', async () => {
    provider.meets('acquire', { kind: 'late-reply', after: 50 })
    const obtained = failure(locker.obtain('job', 100))
    await clock.advance(0)
    // The process is stopped; when it goes on, the reply is the first thing that it sees.
    clock.sleepThrough(200)
    await clock.advance(0)
    expect(await obtained).toBeInstanceOf(StoreError)
  })

  it('gives a grant back whose reply was lost', async () => {
    provider.meets('acquire', { kind: 'lost-reply' })
    expect(await failure(locker.obtain('job', { lockAtMostFor: '10m', tick: new Date(clock.now()) }))).toBeInstanceOf(
      StoreError,
    )
    await clock.settle()
    expect(provider.locks.get('job')).toMatchObject({ lockUntil: clock.now(), tickDone: false })
  })

  it('does not give an aborted wait a grant that comes later', async () => {
    const abort = new AbortController()
    provider.meets('acquire', { kind: 'late-reply', after: 1_000 })
    const obtained = failure(locker.obtain('job', { lockAtMostFor: '10m', signal: abort.signal }))
    await clock.advance(500)
    abort.abort()
    expect(await obtained).toBeInstanceOf(ErrNotObtained)
    await clock.advance(500)
    expect(await other.tryObtain('job', '1m')).toBeDefined()
  })

  it('that answers less than it was asked is a failure, and mixes no answers up', async () => {
    const broken = { ...provider, acquire: async () => [] }
    expect(await failure(new Locker({ provider: broken, clock }).obtain('job', 100))).toMatchObject({
      message: 'could not acquire lock "job": the provider returned 0 results for 1 requests',
    })
  })
})

describe('many calls with one signal', () => {
  it('leave one listener on it, so that Node warns of no leak', async () => {
    const warnings: Error[] = []
    const listen = (warning: Error): void => void warnings.push(warning)
    process.on('warning', listen)
    const controller = new AbortController()
    const options = { lockAtMostFor: '1m', signal: controller.signal, retry: () => 1_000 }
    const first = await locker.obtain('busy', '10m')
    const waiting = Array.from({ length: 50 }, () => locker.obtain('busy', options).catch((error: unknown) => error))
    await clock.settle()
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
    controller.abort(new Error('enough'))
    for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(ErrNotObtained)
    await new Promise(setImmediate)
    process.off('warning', listen)
    expect(warnings).toEqual([])
    await first.release()
  })
})

describe('under fake timers', () => {
  it('a lock is obtained and released', async () => {
    const real = new Locker({ provider: memory() })
    // As Jest fakes them; vitest does not fake nextTick in a worker of its own.
    vi.stubGlobal('queueMicrotask', () => {})
    vi.spyOn(process, 'nextTick').mockImplementation(() => {})
    vi.useFakeTimers()
    try {
      const lock = await real.obtain('job', '1m')
      await lock.release()
    } finally {
      vi.useRealTimers()
      vi.unstubAllGlobals()
      vi.restoreAllMocks()
    }
  })
})

describe('single calls of one turn', () => {
  it('go out as one batch, whatever promises they came through', async () => {
    const later = async (name: string): Promise<unknown> => {
      await null
      await null
      return locker.obtain(name, '1m')
    }
    const names = Array.from({ length: 100 }, (_, index) => `job-${index}`)
    const locks = await Promise.all(names.map((name, index) => (index % 2 ? later(name) : locker.obtain(name, '1m'))))
    expect(provider.calls).toEqual([{ verb: 'acquire', size: 100 }])
    await Promise.all(locks.map((lock) => (lock as { release(): Promise<void> }).release()))
    expect(provider.calls.at(-1)).toEqual({ verb: 'release', size: 100 })
  })

  it('each get their own answer', async () => {
    await other.obtain('taken', '1m')
    const answers = await Promise.all(['a', 'taken', 'b'].map((name) => locker.tryObtain(name, '1m')))
    expect(answers.map((lock) => lock?.name)).toEqual(['a', undefined, 'b'])
  })

  it('don’t wait for a batch that hangs', async () => {
    provider.meets('acquire', { kind: 'black-hole' })
    const hanging = failure(locker.obtain('a', '1m'))
    await clock.settle()
    expect((await locker.obtain('b', '1m')).held).toBe(true)
    await clock.advance(5_000)
    expect(await hanging).toBeInstanceOf(StoreError)
  })
})
