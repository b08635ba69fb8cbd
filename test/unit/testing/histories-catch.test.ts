/* Random histories on a store and on its model must be able to fail: every defect that one client can see is found. */
import { describe, expect, it } from 'vitest'
import { checkHistories, type HistoryOptions } from '../../providers/histories/check-histories.ts'
import { breakableStore } from './breakable-store.ts'
import { histories } from './mutants/history.ts'
import { mutants } from './mutants/index.ts'
import { pauses } from './mutants/pausing.ts'

/** What shows only between nodes that ask at once, at set-up, at the end, beside ShedLock, with many locks: for the conformance suite. */
const UNSEEN: ReadonlySet<string> = new Set([
  'looks first and writes later',
  'calls a store that fails a lock that is held',
  'deadlocks when two batches come in opposite orders',
  'reads at most a hundred records',
  'makes the table anew',
  'cannot be set up by two nodes at once',
  'calls a lock held when its table is missing',
  'gives all locks back when it is closed',
  'cannot be closed twice',
  "ends the user's client",
  "takes ShedLock's records for free",
  'never takes over what ShedLock left',
  'knows its owner by a field of its own, which ShedLock does not write',
  // The histories neither pause nor ask for what was recorded.
  ...[...pauses, ...histories].map(({ defect }) => defect),
])

// Its clock is of microseconds, as that of PostgreSQL.
const options: HistoryOptions = { kind: 'postgres', operations: 3_000, seed: 1, shorten: false }

describe('random histories', () => {
  it.concurrent('agree with a provider that does everything right', async () => {
    await checkHistories(breakableStore('right'), options)
  })

  for (const { defect, broken, hooks } of mutants.filter((mutant) => !UNSEEN.has(mutant.defect))) {
    it.concurrent(`find a provider that ${defect}`, async () => {
      const found = checkHistories(breakableStore('broken', broken, hooks), { ...options, operations: 100_000 })
      await expect(found).rejects.toThrow()
    })
  }

  it('leave only to the conformance suite what is among its defects', () => {
    expect([...UNSEEN].filter((defect) => !mutants.some((mutant) => mutant.defect === defect))).toEqual([])
  })
})
