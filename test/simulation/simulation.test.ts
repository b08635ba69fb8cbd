import { describe, expect, it } from 'vitest'
import { makeScenario } from './make-scenario.ts'
import { runScenario } from './run-scenario.ts'

const SEEDS = Array.from({ length: 30 }, (_, index) => index + 1)

describe('the simulation', () => {
  it.each(SEEDS)(
    'breaks no rule with seed %i',
    async (seed) => {
      const { violations, due } = await runScenario(makeScenario(seed))
      expect(violations).toEqual([])
      expect(due).toBeGreaterThan(0)
    },
    60_000,
  )

  it('goes the same way each time', async () => {
    expect(await runScenario(makeScenario(7))).toEqual(await runScenario(makeScenario(7)))
  }, 60_000)
})
