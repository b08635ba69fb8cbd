import { makeScenario } from './make-scenario.ts'
import { runScenario } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import { shorten } from './shorten.ts'
import type { Violation } from './witness.ts'

/** Runs one seed, and shows the shortest scenario that breaks the same rule; with `trace` its history too. False when a rule is broken. */
export async function replay(seed: number, trace: boolean): Promise<boolean> {
  const scenario = makeScenario(seed)
  const result = await runScenario(scenario)
  const { due, run, runs, violations } = result
  if (violations.length === 0) {
    if (trace) await runScenario(scenario, (line) => console.log(line))
    console.log(
      `seed ${seed}: ${scenario.nodes.length} nodes, ${due} ticks due, ${run} ran, ${runs} runs; no rule is broken`,
    )
    return true
  }
  console.log(`seed ${seed}:`)
  tell(violations)
  const shortest = await shorten(scenario)
  show(shortest.scenario, shortest.violations)
  if (trace) await runScenario(shortest.scenario, (line) => console.log(line))
  return false
}

function tell(violations: readonly Violation[]): void {
  for (const { rule, what, at } of violations.slice(0, 5))
    console.log(`  broken after ${(at / 1000).toFixed(3)} s: ${rule}: ${what}`)
}

function show(scenario: Scenario, violations: readonly Violation[]): void {
  const { store, start, jobs, nodes, weather, faults } = scenario
  console.log('the shortest that shows it:')
  tell(violations)
  console.log(`  ${store}, from ${new Date(start).toISOString()}`)
  for (const node of nodes) console.log('  node   ', JSON.stringify(node))
  for (const job of jobs) console.log('  job    ', JSON.stringify(job))
  console.log('  weather', JSON.stringify(weather))
  for (const fault of faults) console.log('  fault  ', JSON.stringify(fault))
}
