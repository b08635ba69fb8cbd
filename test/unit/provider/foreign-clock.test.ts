import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest'
import { newOwner } from '../../../src/lock/obtain.ts'
import type { LockRecord } from '../../../src/provider/contract.ts'
import { ForeignClock } from '../../../src/provider/foreign-clock.ts'
import { holderOf, releasedHolderOf } from '../../../src/provider/holder.ts'
import { markOf } from '../../../src/scheduler/catch-up/schedule-mark.ts'
import { readSchedule } from '../../../src/scheduler/plan/schedule.ts'

const HOUR = 3_600_000
const NOW = Date.UTC(2026, 0, 1)

const record = (more: Partial<LockRecord>): LockRecord => ({
  name: 'job',
  lockedBy: 'jvm-host',
  lockedAt: NOW,
  lockUntil: NOW + 60_000,
  fencingToken: 0,
  tickDone: false,
  storeTime: NOW,
  ...more,
})

describe('a lock of another program', () => {
  const warnings = (): readonly unknown[] => warn.mock.calls.map(([message]) => message)
  let warn: MockInstance<(message: string) => void>
  let clock: ForeignClock
  beforeEach(() => {
    warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {}) as unknown as typeof warn
    clock = new ForeignClock('postgres')
  })
  afterEach(() => warn.mockRestore())

  it('taken hours ahead of the clock is reported once for its holder', () => {
    for (let round = 0; round < 3; round++) clock.look(record({ lockedAt: NOW + 8 * HOUR + round }))
    clock.look(record({ name: 'other', lockedAt: NOW + 8 * HOUR }))
    expect(warnings()).toEqual([expect.stringMatching(/jvm-host took lock "job" .*8\.0 hours ahead.*usingDbTime\(\)/)])
    clock.look(record({ lockedBy: 'second', lockedAt: NOW + 8 * HOUR }))
    expect(warnings()).toHaveLength(2)
  })

  it('is reported without what a terminal would obey', () => {
    clock.look(record({ lockedBy: 'jvm\x1b[2J\x9b2J', lockedAt: NOW + 8 * HOUR }))
    expect(warnings()).toEqual([expect.not.stringMatching(/\p{Cc}/u)])
  })

  it.each([
    ['by hand', newOwner(undefined)],
    ['by a scheduler', newOwner(markOf(readSchedule({ cron: '@daily' }, 'test'), NOW))],
  ])('is none when a node of ticklock took it %s, whatever the clock of the store did since', (_, owner) => {
    const holder = { owner, label: 'host:1' }
    clock.look(record({ lockedBy: holderOf(holder), lockedAt: NOW + HOUR }))
    clock.look(record({ lockedBy: releasedHolderOf(holder), lockedAt: NOW + HOUR }))
    expect(warnings()).toEqual([])
  })

  it('taken hours behind the clock is reported when it is seen to have been taken since', () => {
    clock.look(record({ lockedAt: NOW - 8 * HOUR }))
    clock.look(record({ lockedAt: NOW - 8 * HOUR, storeTime: NOW + 30_000 }))
    expect(warnings(), 'it may be old').toEqual([])
    clock.look(record({ lockedAt: NOW - 8 * HOUR + 60_000, storeTime: NOW + 60_000 }))
    expect(warnings()).toEqual([expect.stringMatching(/8\.0 hours behind/)])
  })

  it.each([
    ['in time', record({})],
    ['a little ahead', record({ lockedAt: NOW + 60_000 })],
    [
      'by a node of ticklock',
      record({ lockedAt: NOW + 8 * HOUR, lockedBy: holderOf({ label: 'h:1', owner: crypto.randomUUID() }) }),
    ],
    [
      'by a node of ticklock that released',
      record({ lockedAt: NOW + 8 * HOUR, lockedBy: releasedHolderOf({ label: 'h:1', owner: crypto.randomUUID() }) }),
    ],
    ['by nobody', record({ lockedAt: NOW + 8 * HOUR, lockedBy: '' })],
  ])('taken %s is not reported', (_, lock) => {
    clock.look(lock)
    clock.look({ ...lock, lockedAt: lock.lockedAt + 1, storeTime: NOW + 1 })
    expect(warnings()).toEqual([])
  })

  it('is remembered for 1,000 names', () => {
    clock.look(record({ lockedAt: NOW - 8 * HOUR }))
    for (let other = 0; other < 1_000; other++) clock.look(record({ name: `other ${other}`, lockedAt: NOW - 1 }))
    clock.look(record({ lockedAt: NOW - 7 * HOUR }))
    expect(warnings()).toEqual([])
  })
})
