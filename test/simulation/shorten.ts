import { type Result, runScenario } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'

/** Leaves out of a broken scenario, one after another, the faults without which it is broken all the same. */
export async function shorten(scenario: Scenario): Promise<{ scenario: Scenario; violations: Result['violations'] }> {
  let shortest = scenario
  let { violations } = await runScenario(scenario)
  for (let index = scenario.faults.length - 1; index >= 0; index--) {
    const without = { ...shortest, faults: shortest.faults.filter((_, each) => each !== index) }
    const result = await runScenario(without)
    if (result.violations[0]?.rule !== violations[0]?.rule) continue
    shortest = without
    violations = result.violations
  }
  return { scenario: shortest, violations }
}
