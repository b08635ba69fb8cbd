import { describe, expect, it } from 'vitest'
import { makeScenario } from './make-scenario.ts'
import { runScenario } from './run-scenario.ts'

const SEEDS = Array.from({ length: 30 }, (_, index) => index + 1)

describe('the simulation', () => {
  let ticks = 0

  it.each(SEEDS)(
    'breaks no rule with seed %i',
    async (seed) => {
      const { violations, due } = await runScenario(makeScenario(seed))
      expect(violations).toEqual([])
      ticks += due
    },
    60_000,
  )

  it('has judged thousands of ticks by then', () => {
    expect(ticks).toBeGreaterThan(10_000)
  })

  it('goes the same way each time', async () => {
    const histories: string[][] = [[], []]
    for (const history of histories) await runScenario(makeScenario(6), (line) => history.push(line))
    expect(histories[0]?.length).toBeGreaterThan(100)
    expect(histories[1]).toEqual(histories[0])
  }, 60_000)
})
