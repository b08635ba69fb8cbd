import { describe, expect, it } from 'vitest'
import { type ShownLock, shownLocks, whatWasCut } from '../../../src/cli/shown-locks.ts'

const lock = (name: string, state: 'held' | 'kept' | 'crashed' | 'free'): ShownLock => ({
  name,
  store: 'default',
  state,
  holder: 'node1',
  since: new Date(0),
  until: new Date(0),
  lastTick: undefined,
  isAhead: false,
  fencingToken: 1,
  metadata: undefined,
  storeTime: new Date(0),
})
const unreadable = (name: string): ShownLock => ({ name, store: 'default', state: 'unreadable', problem: 'why' })
const namesOf = (locks: readonly ShownLock[], limit: number) => shownLocks(locks, limit).locks.map(({ name }) => name)

describe('the locks that status shows', () => {
  const all = [lock('b10', 'free'), lock('b9', 'held'), unreadable('z'), lock('a', 'free'), lock('y', 'crashed')]

  it('are those with a problem first, then all in natural order', () => {
    expect(namesOf(all, 10)).toEqual(['y', 'z', 'a', 'b9', 'b10'])
    expect(shownLocks(all, 10).cut).toEqual([])
  })

  it('beyond the limit are the ones that matter least, and counted', () => {
    const shown = shownLocks(all, 3)
    expect(namesOf(all, 3)).toEqual(['y', 'z', 'b9'])
    expect(whatWasCut(shown)).toBe('and 2 more: 2 free. Name the locks that you look for, or raise --limit.')
  })

  it('of a hundred thousand are chosen at once', () => {
    const many = Array.from({ length: 100_000 }, (_, index) =>
      lock(`job-${index}`, index % 1_000 === 7 ? 'held' : 'free'),
    )
    const shown = shownLocks(many, 101)
    expect(namesOf(many, 101).slice(0, 3)).toEqual(['job-0', 'job-7', 'job-1007'])
    expect(shown.cut).toEqual([{ state: 'free', count: 99_899 }])
  })
})
