import { describe, expect, it, vi } from 'vitest'
import * as errors from '../../src/errors.ts'

const made = (from: typeof errors): [name: string, error: Error, guard: (error: unknown) => boolean][] => [
  ['ErrNotObtained', new from.ErrNotObtained('j', { reason: 'held' }), errors.isNotObtained],
  ['LockNotHeldError', new from.LockNotHeldError('j', 'why'), errors.isLockNotHeld],
  ['LockLostError', new from.LockLostError('j', 'why'), errors.isLockLost],
  ['StoreError', new from.StoreError('why', { cause: 1 }), errors.isStoreError],
  ['InvalidOptionError', new from.InvalidOptionError('why'), errors.isInvalidOption],
]

describe('the errors', () => {
  it.each(made(errors))('%s has its name, its code and its guard, and no other’s', (name, error, guard) => {
    expect(error.name).toBe(name)
    expect(error).toBeInstanceOf(errors.TicklockError)
    expect(error).toBeInstanceOf(Error)
    expect(made(errors).map(([, , other]) => other(error))).toEqual(made(errors).map(([, , other]) => other === guard))
  })

  it('are known across two copies of the package', async () => {
    vi.resetModules()
    const copy = (await import('../../src/errors.ts')) as typeof errors
    expect(copy.StoreError).not.toBe(errors.StoreError)
    for (const [name, error, guard] of made(copy)) {
      expect(guard(error), name).toBe(true)
      expect(error).toBeInstanceOf(errors.TicklockError)
    }
    expect(new copy.StoreError('x')).not.toBeInstanceOf(errors.ErrNotObtained)
  })

  it('of somebody else’s class derived from one of ours are not taken for ours of another kind', () => {
    class Theirs extends errors.StoreError {}
    expect(new Theirs('x')).toBeInstanceOf(Theirs)
    expect(new Theirs('x')).toBeInstanceOf(errors.StoreError)
    expect(new errors.StoreError('x')).not.toBeInstanceOf(Theirs)
    expect(errors.isStoreError(null)).toBe(false)
    expect(errors.isStoreError('StoreError')).toBe(false)
  })

  it('say what is known of a refusal', () => {
    const heldUntil = new Date('2026-01-01T00:00:00Z')
    const message = (details: errors.RefusalDetails): string => new errors.ErrNotObtained('j', details).message
    expect(message({ reason: 'held', heldBy: 'web-1:42', heldUntil })).toBe(
      'lock "j" was not obtained: it is held by web-1:42 until 2026-01-01T00:00:00.000Z',
    )
    expect(message({ reason: 'tick-taken', heldBy: 'web-1:42' })).toBe(
      'lock "j" was not obtained: this tick, or a later one, was granted before, last by web-1:42',
    )
    expect(message({ reason: 'clock-ahead' })).toContain("check this machine's clock")
  })
})
