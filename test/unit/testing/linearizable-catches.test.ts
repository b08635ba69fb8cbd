/* The search for an order must be able to find none: a provider that can't keep nodes apart which ask at once is found. */
import { describe, expect, it } from 'vitest'
import { checkLinearizable } from '../../providers/linearizability/check-linearizable.ts'
import { breakableStore } from './breakable-store.ts'
import { mutants } from './mutants/index.ts'

const FOUND = [
  'looks first and writes later',
  'takes the label for the owner',
  'lets anyone release',
  'lets anyone extend',
  'grants a crashed tick to all who want to rerun it',
  'takes no notice of ticks',
  'answers a repeated release with false',
]

const options = { events: 2_000, seed: 1, inSteps: false }

describe('the search for an order in what several clients do at once', () => {
  it('finds one for a provider that does everything right', async () => {
    await checkLinearizable(breakableStore('right'), options)
  })

  it.each(FOUND)('finds none for a provider that %s', async (defect) => {
    const mutant = mutants.find((each) => each.defect === defect)
    expect(mutant, 'the defect has another name').toBeDefined()
    const broken = breakableStore('broken', mutant?.broken, mutant?.hooks)
    await expect(checkLinearizable(broken, { ...options, events: 100_000 })).rejects.toThrow()
  })
})
