import { beforeEach, describe, expect, it } from 'vitest'
import { ErrNotObtained, Lock, Locker, LockLostError, LockNotHeldError, StoreError } from '../../../src/index.ts'
import { ManualClock } from '../../../src/testing/index.ts'
import { type TroubledProvider, troubledProvider } from '../troubled-provider.ts'

let clock: ManualClock
let provider: TroubledProvider
let locker: Locker
let other: Locker

beforeEach(() => {
  clock = new ManualClock()
  provider = troubledProvider(clock)
  locker = new Locker({ provider, clock, label: 'here' })
  other = new Locker({ provider, clock, label: 'there' })
})

const until = (): number => (provider.locks.get('job')?.lockUntil ?? 0) - clock.now()

describe('a lock', () => {
  it('goes the way of the README of dblock', async () => {
    const lock = await locker.obtain('my-key', 100)
    expect(await lock.ttl()).toBeGreaterThan(0)
    await lock.refresh(100)
    await clock.advance(100)
    expect(await lock.ttl()).toBe(0)
  })

  it('has a token of its own, a fencing token, its metadata and its time', async () => {
    const lock = await locker.obtain('job', { lockAtMostFor: '1m', metadata: 'by hand' })
    expect(lock).toMatchObject({ name: 'job', metadata: 'by hand', lockAtMostFor: 60_000, held: true })
    expect(lock.owner).toMatch(/^[0-9a-f-]{36}$/)
    expect(provider.locks.get('job')).toMatchObject({ lockedBy: `here#${lock.owner}`, metadata: 'by hand' })
    expect(lock.fencingToken).toBe(provider.locks.get('job')?.fencingToken)
    expect(+lock.acquiredAt).toBe(clock.now())
    expect(lock.remaining).toBe(60_000)
  })

  it('refuses another while it is held, and says by whom and until when', async () => {
    await locker.obtain('job', '1m')
    const error = await other.obtain('job', '1m').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ErrNotObtained)
    expect(error).toMatchObject({ code: 'NOT_OBTAINED', lock: 'job', reason: 'held', heldBy: 'here' })
    expect(+((error as ErrNotObtained).heldUntil ?? 0)).toBe(clock.now() + 60_000)
    expect(await other.tryObtain('job', '1m')).toBeUndefined()
  })

  it('is lost at its deadline: the signal aborts, and no call changes anything any more', async () => {
    const lock = await locker.obtain('job', 100)
    const { signal } = lock
    await clock.advance(99)
    expect(signal.aborted).toBe(false)
    await clock.advance(1)
    expect(signal.reason).toBeInstanceOf(LockLostError)
    expect(lock.held).toBe(false)
    await expect(lock.refresh()).rejects.toBeInstanceOf(LockNotHeldError)
    await expect(lock.release()).rejects.toBeInstanceOf(LockNotHeldError)
    expect(await lock.ttl()).toBe(0)
  })

  it('has a signal that is aborted already when it is first looked at after the loss', async () => {
    const lock = await locker.obtain('job', 100)
    await clock.advance(100)
    expect(lock.signal.reason).toBeInstanceOf(LockLostError)
  })

  it('counts its deadline from before the request was sent, not from the reply', async () => {
    provider.meets('acquire', { kind: 'late-reply', after: 70 })
    const obtained = locker.obtain('job', 100)
    await clock.advance(70)
    const lock = await obtained
    expect(lock.remaining).toBe(30)
    await clock.advance(30)
    expect(lock.lost).toBeInstanceOf(LockLostError)
  })

  it('stays held whatever happens to the wall clock, since the store confirms it', async () => {
    // The store's clock is not this machine's.
    provider = troubledProvider(clock, () => clock.monotonic())
    locker = new Locker({ provider, clock })
    const lock = await locker.obtain('job', 100)
    clock.jump(-3_600_000)
    await clock.advance(50)
    expect(lock.held).toBe(true)
    clock.jump(7_200_000)
    expect(lock.held, 'the machine may have been suspended').toBe(false)
    await clock.settle()
    expect(lock.held).toBe(true)
    expect(provider.calls.filter(({ verb }) => verb === 'extend')).toHaveLength(1)
    await clock.advance(50)
    expect(lock.held).toBe(false)
  })

  it.each([
    ['by a look at it', (lock: Lock) => void lock.held],
    ['within a second', () => {}],
  ])('is lost when the machine was suspended past it, with a monotonic clock that stood still: %s', async (_, look) => {
    const lock = await locker.obtain('job', '30s')
    const { signal } = lock
    clock.jump(60_000)
    look(lock)
    await clock.advance(1_000)
    expect(lock.held).toBe(false)
    expect(signal.reason).toBeInstanceOf(LockLostError)
    await expect(lock.release()).rejects.toBeInstanceOf(LockNotHeldError)
  })

  it('is lost at its end also when the suspension was shorter than its lease', async () => {
    const lock = await locker.obtain('job', '60s')
    clock.jump(40_000)
    await clock.advance(19_000)
    expect(lock.held).toBe(true)
    await clock.advance(1_000)
    expect(lock.lost).toBeInstanceOf(LockLostError)
  })

  it.each([
    ['granted', 'acquire', { kind: 'late-reply', after: 10 }],
    ['granted, by a request that was repeated', 'acquire', { kind: 'lost-reply' }],
    ['extended', 'extend', { kind: 'late-reply', after: 10 }],
  ] as const)('is not relied on when the machine was suspended while it was being %s', async (_, verb, trouble) => {
    const short = { lockAtMostFor: '30s' }
    const before = verb === 'extend' ? await locker.obtain('job', short) : undefined
    provider.meets(verb, trouble)
    const call = before ? before.refresh('30s') : locker.obtain('job', short)
    const settled = call.catch((error: unknown) => error)
    await clock.settle()
    clock.jump(60_000)
    await clock.advance(1_000)
    expect((await settled) instanceof Lock ? 'held' : 'not held', 'a lease that is over').toBe('not held')
    expect(before?.held ?? false).toBe(false)
    expect(await other.tryObtain('job', '1m')).toBeDefined()
  })

  it('is lost when the store can not confirm after a suspension that it is still held', async () => {
    provider = troubledProvider(clock, () => clock.monotonic())
    locker = new Locker({ provider, clock, storeTimeout: '2s' })
    const lock = await locker.obtain('job', '30s')
    provider.down = true
    clock.jump(60_000)
    await clock.advance(1_000)
    expect(lock.lost).toBeInstanceOf(LockLostError)
  })

  it('that is renewed goes on after a suspension that it outlived', async () => {
    provider = troubledProvider(clock, () => clock.monotonic())
    locker = new Locker({ provider, clock })
    const lock = await locker.obtain('job', '30s')
    clock.jump(60_000)
    await lock.refresh('30s')
    await clock.settle()
    expect(lock.held).toBe(true)
  })

  it('is not made from a response that a suspension longer than the lease held up', async () => {
    provider.meets('acquire', { kind: 'late-reply', after: 100 })
    const obtaining = locker.obtain('job', '30s').catch((error: unknown) => error)
    await clock.settle()
    clock.jump(60_000)
    await clock.advance(100)
    expect(await obtaining).toBeInstanceOf(StoreError)
    await clock.settle()
    expect((await other.obtain('job', '30s')).held).toBe(true)
  })

  it('is lost when its time is up by the store, after a suspension shorter than the lease', async () => {
    const lock = await locker.obtain('job', '30s')
    await clock.advance(5_000)
    clock.jump(20_000)
    expect(lock.held).toBe(true)
    await clock.advance(4_000)
    expect(lock.held).toBe(true)
    await clock.advance(2_000)
    expect(lock.lost).toBeInstanceOf(LockLostError)
  })

  it('is lost when the time of an extension is up whose response a suspension held up', async () => {
    const lock = await locker.obtain('job', '60s')
    provider.meets('extend', { kind: 'late-reply', after: 1_500 })
    const refreshing = lock.refresh('70s')
    await clock.settle()
    clock.jump(40_000)
    await clock.advance(1_500)
    await refreshing
    await clock.advance(27_000)
    expect(lock.held).toBe(true)
    await clock.advance(3_000)
    expect(lock.lost).toBeInstanceOf(LockLostError)
  })

  it('has the time that the store says, when an extension that shortens it meets the look after a suspension', async () => {
    const lock = await locker.obtain('job', '60s')
    provider.meets('extend', { kind: 'late-request', after: 10 }, { kind: 'late-reply', after: 50 })
    const shortened = lock.refresh('100ms')
    await clock.settle()
    lock.doubted()
    await clock.advance(70)
    await shortened
    expect(lock.remaining).toBeLessThanOrEqual(until())
  })

  it('notices after a pause of the process that it is over, before its timer has fired', async () => {
    const lock = await locker.obtain('job', 100)
    clock.sleepThrough(500)
    expect(lock.held).toBe(false)
    await expect(lock.refresh()).rejects.toBeInstanceOf(LockNotHeldError)
  })

  it('lives longer than the longest timer', async () => {
    const lock = await locker.obtain('job', '3h')
    await clock.advance(2 * 3_600_000)
    expect(lock.held).toBe(true)
    await clock.advance(3_600_000)
    expect(lock.lost).toBeInstanceOf(LockLostError)
  })
})

describe('refresh', () => {
  it('extends to now plus the duration, by default that of obtain', async () => {
    const lock = await locker.obtain('job', 100)
    await clock.advance(60)
    await lock.refresh()
    expect(until()).toBe(100)
    await lock.refresh('1s')
    expect(until()).toBe(1_000)
    expect(lock.remaining).toBe(1_000)
  })

  it('can make the lease shorter', async () => {
    const lock = await locker.obtain('job', '10m')
    await lock.refresh('1s')
    expect(until()).toBe(1_000)
    expect(lock.remaining).toBe(1_000)
  })

  it('never ends the lease before lockAtLeastFor', async () => {
    const lock = await locker.obtain('job', { lockAtMostFor: '10m', lockAtLeastFor: '5m' })
    await clock.advance(60_000)
    await lock.refresh('1s')
    expect(until()).toBe(240_000)
    expect(lock.remaining).toBe(240_000)
  })

  it('says so and aborts the signal when another has taken the lock over', async () => {
    const lock = await locker.obtain('job', 100)
    const { signal } = lock
    await provider.forceRelease('job')
    await other.obtain('job', '1m')
    await expect(lock.refresh()).rejects.toBeInstanceOf(LockNotHeldError)
    expect(signal.reason).toBeInstanceOf(LockLostError)
    expect(until()).toBe(60_000)
  })

  it('is no loss when the store fails: the lease stays good until its deadline', async () => {
    const lock = await locker.obtain('job', 100)
    provider.meets('extend', { kind: 'refused-connection' })
    const error = await lock.refresh().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(StoreError)
    expect((error as StoreError).cause).toEqual(new Error('connection refused'))
    expect(lock.held).toBe(true)
    await lock.refresh(200)
    expect(lock.remaining).toBe(200)
  })

  it('does not wait for an answer past the deadline of the lease', async () => {
    const lock = await locker.obtain('job', 100)
    provider.meets('extend', { kind: 'black-hole' })
    const refreshed = lock.refresh().catch((thrown: unknown) => thrown)
    await clock.advance(100)
    expect(await refreshed).toBeInstanceOf(StoreError)
    expect(lock.lost).toBeInstanceOf(LockLostError)
  })

  it('gives an extension back whose answer comes when the lease has been given up as lost', async () => {
    const lock = await locker.obtain('job', 100)
    provider.meets('extend', { kind: 'late-reply', after: 150 })
    lock.refresh('10m').catch(() => {})
    await clock.advance(149)
    expect(lock.lost).toBeInstanceOf(LockLostError)
    expect(until()).toBeGreaterThan(0)
    await clock.advance(1)
    expect(await other.tryObtain('job', 100)).toBeDefined()
  })

  it('is lost by a refusal that comes when nobody waits for it any more', async () => {
    const lock = await locker.obtain('job', '10m')
    await provider.forceRelease('job')
    provider.meets('extend', { kind: 'late-reply', after: 6_000 })
    const refreshing = lock.refresh().catch((thrown: unknown) => thrown)
    await clock.advance(5_000)
    expect(await refreshing).toBeInstanceOf(StoreError)
    expect(lock.held).toBe(true)
    await clock.advance(1_000)
    expect(lock.lost).toBeInstanceOf(LockLostError)
  })

  it('that was given up never shortens a lease which a later one has extended', async () => {
    const lock = await locker.obtain('job', '10m')
    // Held up on its way for longer than this node waits for an answer.
    provider.meets('extend', { kind: 'late-request', after: 6_000 })
    const shortening = lock.refresh('20s').catch((thrown: unknown) => thrown)
    await clock.advance(5_000)
    expect(await shortening).toBeInstanceOf(StoreError)
    expect(lock.remaining).toBe(15_000)
    await lock.refresh('10m')
    await clock.advance(30_000)
    expect(lock.held).toBe(true)
    expect(until()).toBe(lock.remaining)
  })

  it('relies on the shorter lease from the moment it is asked for, since the reply may be lost', async () => {
    const lock = await locker.obtain('job', '10m')
    provider.meets('extend', { kind: 'lost-reply' })
    await expect(lock.refresh('1s')).rejects.toBeInstanceOf(StoreError)
    expect(until()).toBe(1_000)
    expect(lock.remaining).toBe(1_000)
  })

  it('goes one after another, so that the last one asked for counts', async () => {
    const lock = await locker.obtain('job', '1m')
    provider.meets('extend', { kind: 'late-request', after: 100 })
    const refreshed = Promise.all([lock.refresh('5m'), lock.refresh('3m')])
    await clock.advance(100)
    await refreshed
    expect(until()).toBe(180_000)
    expect(lock.remaining).toBe(180_000)
  })

  it('refuses a duration that is none', async () => {
    const lock = await locker.obtain('job', '1m')
    expect(() => lock.refresh(0)).toThrow('lock "job": duration must be a duration from 1 ms to 100 years, but is 0')
  })
})

describe('release', () => {
  it('frees the lock at once, and a second one does nothing', async () => {
    const lock = await locker.obtain('job', '1m')
    const { signal } = lock
    await lock.release()
    await lock.release()
    expect(await other.tryObtain('job', '1m')).toBeDefined()
    expect(signal.aborted).toBe(false)
    expect(await lock.ttl()).toBe(0)
    await expect(lock.refresh()).rejects.toThrow('lock "job" is not held: it was released')
  })

  it('keeps the lock taken for lockAtLeastFor from the acquisition, also after an extension', async () => {
    const lock = await locker.obtain('job', { lockAtMostFor: '10s', lockAtLeastFor: '5s' })
    await clock.advance(2_000)
    await lock.refresh('10m')
    await lock.release()
    expect(until()).toBe(3_000)
    expect(await lock.ttl()).toBe(0)
    expect(await other.tryObtain('job', '1m')).toBeUndefined()
    await clock.advance(3_000)
    expect(await other.tryObtain('job', '1m')).toBeDefined()
  })

  it('can be tried again after the store has failed', async () => {
    const lock = await locker.obtain('job', '1m')
    provider.meets('release', { kind: 'lost-reply' })
    await expect(lock.release()).rejects.toBeInstanceOf(StoreError)
    await lock.release()
    expect(await other.tryObtain('job', '1m')).toBeDefined()
  })

  it('changes nothing when the lock was taken over, and says so each time', async () => {
    const lock = await locker.obtain('job', 100)
    await clock.advance(100)
    const taken = await other.obtain('job', '1m')
    await expect(lock.release()).rejects.toBeInstanceOf(LockNotHeldError)
    await expect(lock.release()).rejects.toBeInstanceOf(LockNotHeldError)
    expect(await taken.ttl()).toBe(60_000)
  })

  it('happens at the end of an await using block, and is no error there when the lease is over', async () => {
    {
      await using lock = await locker.obtain('job', '1m')
      expect(lock.held).toBe(true)
    }
    expect(await other.tryObtain('job', 100)).toBeDefined()
    await clock.advance(100)
    {
      await using lock = await locker.obtain('job', 100)
      await clock.advance(100)
      expect(lock.held).toBe(false)
    }
  })
})
