import { describe, expect, it } from 'vitest'
import { mutants } from './mutants.ts'
import { runMutant } from './run-mutant.ts'

describe('the simulation sees that the product is broken', { concurrent: true }, () => {
  it.each(mutants)(
    'when $name ($rule, seed $seed)',
    async (mutant) => {
      expect(await runMutant(mutant, mutant.seed, 0)).toMatchObject({ seed: mutant.seed })
    },
    120_000,
  )
})
