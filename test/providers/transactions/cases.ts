/* What `lock.complete` and `lock.fence` promise, for a store and each way to open a transaction there. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { InvalidOptionError, isLockLost, isLockNotHeld, isNotObtained } from '../../../src/errors.ts'
import type { Lock } from '../../../src/lock/lock.ts'
import { Locker } from '../../../src/locker/locker.ts'
import type { LockProvider, LockRecord } from '../../../src/provider/contract.ts'
import { isRecordBusy, labelOf } from '../../../src/provider/index.ts'

export interface TransactionKit {
  /** On connections of its own. */
  readonly provider: LockProvider
  /** Runs work in a transaction of the user's, which commits when that resolves and rolls back when it rejects. */
  transaction<Result>(work: (transaction: object) => Promise<Result>): Promise<Result>
  /** What a user may pass by mistake: the same without a transaction. */
  outside(work: (connection: object) => Promise<void>): Promise<void>
  /** An effect of a run, in the same database. */
  write(transaction: object, effect: string): Promise<unknown>
  /** How many there are of it, as others see them. */
  effects(effect: string): Promise<number>
  /** Ends a lease in the store, as if its time had passed while this process was stopped. */
  expire(name: string): Promise<unknown>
  /** Deletes a record. */
  lose(name: string): Promise<unknown>
  close(): Promise<unknown>
}

class RolledBack extends Error {}

export function transactionCases(open: () => Promise<TransactionKit>): void {
  let kit: TransactionKit
  let locker: Locker
  beforeAll(async () => {
    kit = await open()
    await kit.provider.setup?.()
    locker = new Locker({ provider: kit.provider, storeTimeout: '20s' })
  })
  afterAll(() => kit.close())

  const record = async ({ name }: Lock): Promise<LockRecord> => (await kit.provider.read([name]))[0] as LockRecord
  /** A run's lock, for a tick of its own job. */
  const begin = async (lockAtMostFor = 60_000, name = `job ${randomUUID()}`, lockAtLeastFor = 0): Promise<Lock> => {
    const tick = new Date(Math.floor(await now()))
    return await locker.obtain(name, { lockAtMostFor, lockAtLeastFor, tick, onCrash: 'rerun' })
  }
  const now = async (): Promise<number> => {
    const request = { name: 'clock', owner: randomUUID(), label: 'test', lockAtMostFor: 1, maxClockSkew: 60_000 }
    const [refused] = await kit.provider.acquire([{ ...request, tick: Date.UTC(9000, 0) }])
    return (refused as { storeTime: number }).storeTime
  }
  /** What another node gets that reruns this run, or does not. */
  const takeOver = ({ name, tick }: Lock): Promise<Lock> =>
    locker.obtain(name, { lockAtMostFor: 60_000, tick: tick as Date, onCrash: 'rerun' })
  /** The same, decided once. */
  const tryTakeOver = async ({ name, tick }: Lock): Promise<string> => {
    const request = { name, owner: randomUUID(), label: 'other', lockAtMostFor: 60_000, maxClockSkew: 60_000 }
    const options = { tick: tick?.getTime(), onCrash: 'rerun' } as const
    const [result] = await kit.provider
      .acquire([{ ...request, ...options }], { timeout: 1_000 })
      .catch((error: unknown) => [error as Error])
    if (result instanceof Error) return isRecordBusy(result) ? 'busy' : 'error'
    return result?.granted ? 'granted' : String(result?.reason)
  }

  it('completes with its transaction: the effect is there, the tick done, the lock free', async () => {
    const lock = await begin()
    await kit.transaction(async (transaction) => {
      await kit.write(transaction, lock.name)
      await lock.complete(transaction)
    })
    expect(await kit.effects(lock.name)).toBe(1)
    const { tickDone, lockUntil, storeTime } = await record(lock)
    expect([tickDone, lockUntil <= storeTime]).toEqual([true, true])
    expect(await tryTakeOver(lock)).toBe('tick-taken')
    await lock.release()
    await expect(lock.complete({})).rejects.toSatisfy(isLockNotHeld)
  })

  it('does nothing when its transaction rolls back: the lock is held, and released as ever', async () => {
    const lock = await begin()
    const failing = kit.transaction(async (transaction) => {
      await kit.write(transaction, lock.name)
      await lock.complete(transaction)
      throw new RolledBack()
    })
    await expect(failing).rejects.toThrow(RolledBack)
    expect(await kit.effects(lock.name)).toBe(0)
    expect(await record(lock)).toMatchObject({ tickDone: false })
    expect(await lock.ttl()).toBeGreaterThan(0)
    expect(await tryTakeOver(lock)).toBe('tick-taken')
    await lock.refresh()
    await lock.release()
    expect(await record(lock)).toMatchObject({ tickDone: true })
  })

  it('completes in a second transaction what the first rolled back', async () => {
    const lock = await begin()
    await kit
      .transaction(async (transaction) => {
        await lock.complete(transaction)
        throw new RolledBack()
      })
      .catch(() => {})
    await kit.transaction(async (transaction) => {
      await kit.write(transaction, lock.name)
      await lock.complete(transaction)
    })
    expect([await kit.effects(lock.name), (await record(lock)).tickDone]).toEqual([1, true])
  })

  it.each(['with', 'without'])(
    'takes effect once when a commit that was not confirmed is repeated, %s a tick',
    async (kind) => {
      const lock = kind === 'with' ? await begin() : await locker.obtain(`manual ${randomUUID()}`, '1m')
      const once = (): Promise<void> =>
        kit.transaction(async (transaction) => {
          await kit.write(transaction, lock.name)
          await lock.complete(transaction)
        })
      await once() // As if its response had been lost.
      await expect(once()).rejects.toSatisfy(isLockNotHeld)
      await expect(kit.transaction((transaction) => lock.fence(transaction))).rejects.toSatisfy(isLockNotHeld)
      expect(await kit.effects(lock.name)).toBe(1)
    },
  )

  it('completes a run whose lease was given back without its tick, since a late extension had revived it', async () => {
    const lock = await begin()
    const { name, owner } = lock
    const label = labelOf((await record(lock)).lockedBy)
    expect(await kit.provider.release([{ name, owner, label, lockAtLeastFor: 0 }])).toEqual([true])
    await kit.transaction(async (transaction) => {
      await kit.write(transaction, lock.name)
      await lock.complete(transaction)
    })
    expect([await kit.effects(lock.name), await tryTakeOver(lock)]).toEqual([1, 'tick-taken'])
  })

  it('knows by a renewal that it was completed, and is not lost', async () => {
    const lock = await begin()
    await kit.transaction((transaction) => lock.complete(transaction))
    await expect(lock.refresh()).rejects.toSatisfy(isLockNotHeld)
    expect([lock.lost, lock.signal.aborted]).toEqual([undefined, false])
  })

  it.each(['complete', 'fence'] as const)(
    '%s throws when another owner took over, and nothing is written',
    async (verb) => {
      const lock = await begin()
      await kit.expire(lock.name)
      const other = await takeOver(lock)
      const late = kit.transaction(async (transaction) => {
        await kit.write(transaction, lock.name)
        await lock[verb](transaction)
      })
      await expect(late).rejects.toSatisfy(isLockLost)
      expect([await kit.effects(lock.name), lock.signal.aborted]).toEqual([0, true])
      expect(await record(lock)).toMatchObject({ tickDone: false, fencingToken: other.fencingToken })
      await kit.transaction(async (transaction) => {
        await kit.write(transaction, lock.name)
        await other[verb](transaction)
      })
      expect(await kit.effects(lock.name)).toBe(1)
    },
  )

  it('completes a lease that has expired and that nobody took over', async () => {
    const lock = await begin()
    await kit.expire(lock.name)
    await kit.transaction((transaction) => lock.complete(transaction))
    expect(await tryTakeOver(lock)).toBe('tick-taken')
  })

  it.each(['complete', 'fence'] as const)('after %s nobody takes over until the transaction ends', async (verb) => {
    const lock = await begin()
    await kit.expire(lock.name)
    await kit.transaction(async (transaction) => {
      await lock[verb](transaction)
      // Refused for the tick, busy, or an error of a store that waits: but never granted.
      for (let round = 0; round < 3; round++) expect(await tryTakeOver(lock)).not.toBe('granted')
    })
    if (verb === 'complete') await expect(takeOver(lock)).rejects.toSatisfy(isNotObtained)
    else expect((await takeOver(lock)).fencingToken).toBeGreaterThan(lock.fencingToken)
  })

  it('a fence changes nothing: the run goes on, and completes later', async () => {
    const lock = await begin()
    const before = await record(lock)
    await kit.transaction(async (transaction) => {
      await lock.fence(transaction)
      await kit.write(transaction, lock.name)
    })
    const { storeTime: _, ...after } = await record(lock)
    expect(before).toMatchObject(after)
    await kit.transaction((transaction) => lock.complete(transaction))
    expect((await record(lock)).tickDone).toBe(true)
  })

  it('keeps lockAtLeastFor', async () => {
    const lock = await begin(60_000, undefined, 30_000)
    await kit.transaction((transaction) => lock.complete(transaction))
    const { lockUntil, lockedAt } = await record(lock)
    expect(lockUntil - lockedAt).toBe(30_000)
  })

  it('leaves the tick of another run alone, and a lock without a tick has none to mark', async () => {
    const name = `job ${randomUUID()}`
    const first = await begin(60_000, name)
    await kit.expire(first.name)
    const manual = await locker.obtain(name, '1m')
    await kit.transaction((transaction) => manual.complete(transaction))
    expect(await record(manual)).toMatchObject({ tickDone: false, lastTick: first.tick?.getTime() })
  })

  it.each(['complete', 'fence'] as const)(
    '%s refuses where no transaction is open, and changes nothing',
    async (verb) => {
      const lock = await begin()
      await kit.outside(async (connection) => {
        await expect(lock[verb](connection)).rejects.toThrow(/no transaction is open/)
      })
      expect(await lock.ttl()).toBeGreaterThan(0)
    },
  )

  it.each(['complete', 'fence'] as const)('%s refuses a database that has no record of the lock', async (verb) => {
    const lock = await begin()
    await kit.lose(lock.name)
    const work = kit.transaction((transaction) => lock[verb](transaction))
    await expect(work).rejects.toThrow(/no record of the lock/)
  })

  it('refuses what is no transaction', async () => {
    const lock = await begin()
    await expect(lock.complete({ nothing: 1 })).rejects.toThrow(InvalidOptionError)
  })
}
