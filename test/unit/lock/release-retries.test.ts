import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/index.ts'
import { type Releasable, ReleaseRetries } from '../../../src/lock/release-retries.ts'
import { ManualClock } from '../../../src/testing/index.ts'

/** A lock whose store rejects every release at once, as a closed provider does, and how often it was released. */
function unreleasable(clock: ManualClock): Releasable & { readonly attempts: number } {
  const endsAt = clock.monotonic() + 60_000
  let attempts = 0
  return {
    held: true,
    tick: new Date(clock.now()),
    get remaining() {
      return Math.max(0, endsAt - clock.monotonic())
    },
    get attempts() {
      return attempts
    },
    release: async () => {
      attempts++
      throw new StoreError('the provider is closed')
    },
  }
}

describe('the retries of releases', () => {
  it('are made once more at the end', async () => {
    const clock = new ManualClock()
    const retries = new ReleaseRetries(clock)
    const lock = unreleasable(clock)
    const settled = retries.add(lock, {})
    await retries.end()
    await settled
    expect(lock.attempts).toBe(1)
    await clock.advance(60_000)
    expect(lock.attempts).toBe(1)
  })

  it('are not made for a run that ends after that', async () => {
    const clock = new ManualClock()
    const retries = new ReleaseRetries(clock)
    await retries.end()
    const lock = unreleasable(clock)
    await retries.add(lock, {})
    await clock.advance(60_000)
    expect([lock.attempts, clock.pending]).toEqual([0, 0])
  })

  it('report a release once, also when the last retry meets one that is under way', async () => {
    const clock = new ManualClock()
    const retries = new ReleaseRetries(clock)
    let respond = (): void => {}
    const release = new Promise<void>((resolve) => {
      respond = resolve
    })
    let released = 0
    const lock = { held: true, remaining: 60_000, tick: undefined, release: () => release }
    const settled = retries.add(lock, { released: () => void released++ })
    await clock.advance(100)
    const ended = retries.end()
    respond()
    await Promise.all([settled, ended])
    expect(released).toBe(1)
  })
})
