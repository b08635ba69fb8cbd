import { describe, expect, it } from 'vitest'
import { attack } from './attack.ts'
import { mutants } from './mutants.ts'

describe('the simulation sees that the product is broken', { concurrent: true }, () => {
  it.each(mutants)(
    'when $name ($rule, seed $seed)',
    async (mutant) => {
      // One seed is enough: the budget only bounds how many come after it.
      expect(await attack(mutant, mutant.seed, 0.001)).toMatchObject({ seed: mutant.seed })
    },
    120_000,
  )
})
