import { beforeEach, describe, expect, it } from 'vitest'
import { assertLocked, currentLock, Locker, LockLostError, LockNotHeldError, StoreError } from '../../../src/index.ts'
import { ManualClock } from '../../../src/testing/index.ts'
import { type TroubledProvider, troubledProvider } from '../troubled-provider.ts'

let clock: ManualClock
let provider: TroubledProvider
let locker: Locker
let other: Locker
const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.setTimer(ms, resolve))
const left = (): number => (provider.locks.get('job')?.lockUntil ?? 0) - clock.now()

beforeEach(() => {
  clock = new ManualClock()
  provider = troubledProvider(clock)
  locker = new Locker({ provider, clock, label: 'here' })
  other = new Locker({ provider, clock, label: 'there' })
})

describe('withLock', () => {
  it('tells "ran and returned undefined" from "did not run"', async () => {
    expect(await locker.withLock({ name: 'job', lockAtMostFor: '1m' }, () => undefined)).toEqual({
      ran: true,
      value: undefined,
      lost: false,
    })
    await other.obtain('job', '1m')
    expect(await locker.withLock({ name: 'job', lockAtMostFor: '1m' }, () => 1)).toEqual({
      ran: false,
      reason: 'held',
      heldBy: 'there',
      heldUntil: new Date(clock.now() + 60_000),
    })
  })

  it('runs the work under the lock and frees it', async () => {
    const outcome = await locker.withLock(
      { name: 'job', lockAtMostFor: '1m' },
      async ({ lock, fencingToken, signal }) => {
        expect(fencingToken).toBe(lock.fencingToken)
        expect(signal.aborted).toBe(false)
        expect(left()).toBe(60_000)
        return 'done'
      },
    )
    expect(outcome).toMatchObject({ ran: true, value: 'done' })
    expect(left()).toBe(0)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('boom')
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('boom')
      },
    ],
  ])('rejects with what the work %s, and frees the lock', async (_, work) => {
    await expect(locker.withLock({ name: 'job', lockAtMostFor: '1m' }, work)).rejects.toThrow('boom')
    expect(left()).toBe(0)
  })

  it('marks its tick as done however the work ended', async () => {
    const tick = new Date(clock.now())
    const options = { name: 'job', lockAtMostFor: '1m', tick }
    await locker
      .withLock(options, () => {
        throw new Error('boom')
      })
      .catch(() => {})
    expect(provider.locks.get('job')).toMatchObject({ lastTick: +tick, tickDone: true })
    expect(await other.withLock({ ...options, onCrash: 'rerun' }, () => 1)).toMatchObject({ reason: 'tick-taken' })
  })

  it('does not run when the store fails', async () => {
    provider.down = true
    let ran = false
    const outcome = locker.withLock({ name: 'job', lockAtMostFor: '1m' }, () => {
      ran = true
    })
    await expect(outcome).rejects.toBeInstanceOf(StoreError)
    expect(ran).toBe(false)
  })

  it('refuses a wrong option before it asks', async () => {
    await expect(
      locker.withLock({ name: 'job', lockAtMostFor: '1m', keepalive: true } as never, () => 1),
    ).rejects.toThrow(
      'lock "job": unknown option "keepalive"; the options are lockAtMostFor, lockAtLeastFor, retry, signal, metadata, tick, onCrash, name, keepAlive',
    )
    await expect(locker.withLock(undefined as never, () => 1)).rejects.toThrow('lock: name must be a text')
    expect(provider.calls).toEqual([])
  })

  it('tells when the lease was lost before the work ended, and aborts its signal', async () => {
    const running = locker.withLock({ name: 'job', lockAtMostFor: 100 }, async ({ signal }) => {
      await wait(200)
      return signal.reason
    })
    await clock.advance(200)
    expect(await running).toMatchObject({ ran: true, lost: true, value: expect.any(LockLostError) })
  })

  it('aborts the signal of the work when that of the caller aborts', async () => {
    const abort = new AbortController()
    const options = { name: 'job', lockAtMostFor: '1m', signal: abort.signal }
    const running = locker.withLock(options, async ({ signal }) => {
      await wait(10)
      return signal.reason
    })
    await clock.settle()
    abort.abort('enough')
    await clock.advance(10)
    expect(await running).toEqual({ ran: true, value: 'enough', lost: false })
  })

  it('is done when the work is, though the store fails at the release, and frees the lock when the store is back', async () => {
    const running = locker.withLock({ name: 'job', lockAtMostFor: '10m' }, () => {
      provider.down = true
      return 'done'
    })
    expect(await running).toMatchObject({ ran: true, value: 'done', lost: false })
    await clock.advance(20_000)
    expect(left()).toBeGreaterThan(0)
    provider.down = false
    await clock.advance(30_000)
    expect(left()).toBeLessThanOrEqual(0)
    expect(clock.pending).toBe(0)
  })

  it('stops asking for the release when the lease has lapsed', async () => {
    await locker.withLock({ name: 'job', lockAtMostFor: '1m' }, () => {
      provider.down = true
    })
    await clock.advance(60_001)
    const { length } = provider.calls
    await clock.advance(600_000)
    expect(provider.calls).toHaveLength(length)
    expect(clock.pending).toBe(0)
  })
})

describe('keepAlive', () => {
  const run = (ms: number, lockAtMostFor = 300): Promise<unknown> =>
    locker.withLock({ name: 'job', lockAtMostFor, keepAlive: true }, () => wait(ms))
  const renewals = (): number => provider.calls.filter(({ verb }) => verb === 'extend').length

  it('renews at a third of the lease, for as long as the work takes', async () => {
    const running = run(1_000)
    await clock.advance(99)
    expect(renewals()).toBe(0)
    await clock.advance(1)
    expect(renewals()).toBe(1)
    expect(left()).toBe(300)
    await clock.advance(900)
    expect(await running).toMatchObject({ ran: true, lost: false })
    expect(renewals()).toBe(9)
    await clock.advance(1_000)
    expect(renewals()).toBe(9)
    expect(clock.pending).toBe(0)
  })

  it('tries again when the store fails, and all is well when it is back before the deadline', async () => {
    const running = run(1_000)
    await clock.advance(50)
    provider.down = true
    await clock.advance(200)
    provider.down = false
    await clock.advance(750)
    expect(await running).toMatchObject({ lost: false })
  })

  it('loses the lease at its own deadline when the store does not come back', async () => {
    const running = locker.withLock({ name: 'job', lockAtMostFor: 300, keepAlive: true }, async ({ signal }) => {
      const start = clock.monotonic()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return [clock.monotonic() - start, signal.reason]
    })
    await clock.advance(150)
    provider.down = true
    await clock.advance(1_000)
    // The last renewal that was granted was sent at 100.
    expect(await running).toEqual({ ran: true, lost: true, value: [400, expect.any(LockLostError)] })
  })

  it('keeps the lease when a renewal is swallowed by the network, and loses it at its deadline when all are', async () => {
    provider.meets('extend', { kind: 'black-hole' })
    const running = run(500)
    await clock.advance(500)
    expect(await running).toMatchObject({ lost: false })

    for (let renewal = 0; renewal < 20; renewal++) provider.meets('extend', { kind: 'black-hole' })
    const cut = run(500)
    await clock.advance(500)
    expect(await cut).toMatchObject({ lost: true })
  })

  it('loses the lease at once when the store says no', async () => {
    let lostAt = 0
    const running = locker.withLock({ name: 'job', lockAtMostFor: 3_000, keepAlive: true }, async ({ signal }) => {
      signal.addEventListener('abort', () => {
        lostAt = clock.monotonic()
      })
      await wait(2_000)
    })
    await clock.settle()
    const start = clock.monotonic()
    await provider.forceRelease('job')
    await clock.advance(2_000)
    expect(await running).toMatchObject({ lost: true })
    expect(lostAt - start).toBe(1_000)
  })

  it('does not bring a lease back after the process was paused past its end', async () => {
    const running = run(1_000)
    await clock.settle()
    clock.sleepThrough(400)
    await other.obtain('job', '1m')
    await clock.advance(600)
    expect(await running).toMatchObject({ lost: true })
    expect(provider.locks.get('job')?.lockedBy).toMatch(/^there#/)
  })
})

describe('inside the work', () => {
  it('currentLock is the innermost lock, across awaits, and none outside', async () => {
    expect(currentLock()).toBeUndefined()
    await locker.withLock({ name: 'outer', lockAtMostFor: '1m' }, async () => {
      expect(currentLock()?.name).toBe('outer')
      await locker.withLock({ name: 'inner', lockAtMostFor: '1m' }, async () => {
        await null
        expect(currentLock()?.name).toBe('inner')
        expect(assertLocked().name).toBe('inner')
        expect(assertLocked('outer').name).toBe('outer')
        expect(() => assertLocked('third')).toThrow(LockNotHeldError)
      })
      expect(currentLock()?.name).toBe('outer')
    })
    expect(() => assertLocked()).toThrow('this code does not run under it; call it inside withLock or a job')
  })

  it('assertLocked throws once the lease is lost, and after the release', async () => {
    let after = (): unknown => undefined
    const running = locker.withLock({ name: 'job', lockAtMostFor: 100 }, async () => {
      expect(assertLocked('job').held).toBe(true)
      await wait(100)
      expect(() => assertLocked('job')).toThrow(/its lease expired/)
      after = () => assertLocked()
    })
    await clock.advance(100)
    await running
    expect(after).toThrow(LockNotHeldError)
  })
})
