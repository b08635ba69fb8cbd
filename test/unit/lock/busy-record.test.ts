import { beforeEach, describe, expect, it } from 'vitest'
import { memory } from '../../../providers/memory/index.ts'
import { ErrNotObtained, RecordBusyError } from '../../../src/errors.ts'
import { Locker } from '../../../src/index.ts'
import type { LockProvider, Settled } from '../../../src/provider/contract.ts'
import { ManualClock } from '../../../src/testing/index.ts'

let clock: ManualClock
let locker: Locker
/** The names whose records a stranger's transaction has locked. */
let locked: Set<string>
/** Every request that was sent, by its name. */
let sent: string[]

beforeEach(() => {
  clock = new ManualClock()
  locked = new Set()
  sent = []
  const store = memory({ now: () => clock.now() })
  const split = <Request extends { readonly name: string }, Result>(
    requests: readonly Request[],
    send: (requests: readonly Request[]) => Promise<readonly Settled<Result>[]>,
  ) =>
    Promise.all(
      requests.map(async (request) => {
        sent.push(request.name)
        if (locked.has(request.name)) return new RecordBusyError(request.name)
        return (await send([request]))[0] as Settled<Result>
      }),
    )
  const provider: LockProvider = {
    ...store,
    acquire: (requests) => split(requests, store.acquire),
    extend: (requests) => split(requests, store.extend),
    release: (requests) => split(requests, store.release),
  }
  locker = new Locker({ provider, clock, storeTimeout: '5s' })
})

describe('a record that a stranger has locked', () => {
  it('is requested again until it is free, and keeps no other request of the batch waiting', async () => {
    locked.add('locked')
    const waiting = locker.obtain('locked', '1m')
    expect((await locker.obtain('free', '1m')).held).toBe(true)
    await clock.advance(1_000)
    locked.clear()
    await clock.advance(250)
    expect((await waiting).held).toBe(true)
    expect(sent.filter((name) => name === 'locked').length).toBeLessThan(15)
  })

  it('fails its request when it stays locked for as long as a call may take', async () => {
    locked.add('locked')
    const failed = locker.obtain('locked', '1m').catch((error: unknown) => error)
    await clock.advance(5_000)
    expect(await failed).toBeInstanceOf(RecordBusyError)
  })

  it('is not requested any more when nobody waits for it', async () => {
    locked.add('locked')
    const failed = locker.obtain('locked', 500).catch((error: unknown) => error)
    await clock.advance(500)
    expect(await failed).toBeInstanceOf(RecordBusyError)
    await clock.advance(250)
    sent.length = 0
    locked.clear()
    await clock.advance(5_000)
    // What may have been granted is released, once.
    expect(sent.length).toBeLessThanOrEqual(1)
    expect((await locker.obtain('locked', '1m')).held).toBe(true)
  })

  it('is not requested any more when its caller has aborted the wait', async () => {
    locked.add('locked')
    const abort = new AbortController()
    const failed = locker
      .obtain('locked', { lockAtMostFor: '1m', signal: abort.signal })
      .catch((error: unknown) => error)
    await clock.advance(1_000)
    abort.abort()
    expect(await failed).toBeInstanceOf(ErrNotObtained)
    sent.length = 0
    await clock.advance(5_000)
    expect(sent).toEqual([])
  })

  it('is extended and released when it is free again', async () => {
    const lock = await locker.obtain('locked', '1m')
    for (const call of [() => lock.refresh(), () => lock.release()]) {
      locked.add('locked')
      const done = call()
      await clock.advance(1_000)
      locked.clear()
      await clock.advance(250)
      await done
    }
    expect((await locker.obtain('locked', '1m')).held).toBe(true)
  })
})
