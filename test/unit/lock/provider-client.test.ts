import { describe, expect, it } from 'vitest'
import { memory } from '../../../providers/memory/index.ts'
import { RecordBusyError } from '../../../src/errors.ts'
import { Locker } from '../../../src/index.ts'
import { type ClockReading, ProviderClient } from '../../../src/lock/provider-client.ts'
import { isSingleRequestError } from '../../../src/lock/store-errors.ts'
import type { LockProvider } from '../../../src/provider/contract.ts'
import type { StoredLock } from '../../../src/provider/decide.ts'
import { isUnreadable } from '../../../src/provider/record.ts'
import { ManualClock } from '../../../src/testing/index.ts'

/** A store with one record, whose `lockUntil` is this. */
async function storeWith(lockUntil: unknown) {
  const clock = new ManualClock()
  const provider = memory({ now: () => clock.now() })
  const holder = { name: 'job', owner: 'owner', label: 'there' }
  await provider.acquire([{ ...holder, lockAtMostFor: 1, maxClockSkew: 0 }])
  const locks = provider.locks as Map<string, StoredLock>
  locks.set('job', { ...(locks.get('job') as StoredLock), lockUntil: lockUntil as number })
  return { clock, provider }
}

const isBusy: Partial<LockProvider> = { acquire: async (batch) => batch.map(({ name }) => new RecordBusyError(name)) }

describe("the store's clock is read", () => {
  it.each([
    ["by a name whose record can't be read", 'soon', {}],
    ['by a name whose record another transaction has locked', 0, isBusy],
  ])('%s', async (_, lockUntil, broken) => {
    const { clock, provider } = await storeWith(lockUntil)
    const readings: ClockReading[] = []
    const onReading = (reading: ClockReading): void => void readings.push(reading)
    const store = new ProviderClient({ provider: { ...provider, ...broken }, clock, timeout: 5_000, onReading })
    await store.readClock('job', 'here')
    expect(readings).toMatchObject([{ storeTime: clock.now() }])
  })
})

describe('a record that can not be read', () => {
  it('does not make the store count as unreachable', async () => {
    const { clock, provider } = await storeWith('soon')
    const [record] = await new ProviderClient({ provider, clock, timeout: 5_000 }).read(['job'])
    expect(record && isUnreadable(record) && isSingleRequestError(record.unreadable)).toBe(true)
  })
})

describe('a record that another transaction has locked', () => {
  it('is the reason when a request fails whose time is shorter than storeTimeout', async () => {
    const { clock, provider } = await storeWith(0)
    const locker = new Locker({ provider: { ...provider, ...isBusy }, clock })
    const obtaining = locker.obtain('job', '100ms').catch((error: unknown) => error)
    await clock.advance(100)
    expect(await obtaining).toBeInstanceOf(RecordBusyError)
  })

  it('is the reason when an extension fails that has less time than storeTimeout', async () => {
    const { clock, provider } = await storeWith(0)
    const extend: LockProvider['extend'] = async (batch) => batch.map(({ name }) => new RecordBusyError(name))
    const lock = await new Locker({ provider: { ...provider, extend }, clock }).obtain('job', '1s')
    const refreshing = lock.refresh().catch((error: unknown) => error)
    await clock.advance(999)
    expect(await refreshing).toBeInstanceOf(RecordBusyError)
  })
})
