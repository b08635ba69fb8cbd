import { type Result, runScenario } from './run-scenario.ts'
import type { Fault, Scenario } from './scenario.ts'

/** Shortening goes on for so long at most, in ms. */
const TIMEOUT = 60_000

export interface Shortened {
  readonly scenario: Scenario
  readonly violations: Result['violations']
}

/** Leaves out of a broken scenario, one after another, the faults, jobs, nodes and bad weather without which the same rule is broken all the same. */
export async function shorten(scenario: Scenario): Promise<Shortened> {
  const until = Date.now() + TIMEOUT
  const { violations } = await runScenario(scenario)
  const rule = violations[0]?.rule
  let shortest: Shortened = { scenario, violations }

  const attempt = async (simpler: Scenario): Promise<boolean> => {
    if (Date.now() > until) return false
    const result = await runScenario(simpler)
    if (result.violations[0]?.rule !== rule) return false
    shortest = { scenario: simpler, violations: result.violations }
    return true
  }

  await attempt({ ...scenario, weather: { lostRequest: 0, lostReply: 0, slow: 0 } })
  let before: number
  do {
    before = sizeOf(shortest.scenario)
    for (const fault of shortest.scenario.faults.toReversed()) await attempt(without(shortest.scenario, fault))
    for (const { options } of shortest.scenario.jobs) await attempt(withoutJob(shortest.scenario, options.name))
    for (const { id } of shortest.scenario.nodes) await attempt(withoutNode(shortest.scenario, id))
  } while (sizeOf(shortest.scenario) < before)
  return shortest
}

const sizeOf = ({ faults, jobs, nodes }: Scenario): number => faults.length + jobs.length + nodes.length

const without = (scenario: Scenario, fault: Fault): Scenario => ({
  ...scenario,
  faults: scenario.faults.filter((each) => each !== fault),
})

const withoutJob = (scenario: Scenario, name: string): Scenario => ({
  ...scenario,
  jobs: scenario.jobs.filter(({ options }) => options.name !== name),
  faults: scenario.faults.filter((fault) => !('job' in fault && fault.job === name)),
})

const withoutNode = (scenario: Scenario, id: string): Scenario => ({
  ...scenario,
  nodes: scenario.nodes.filter((node) => node.id !== id),
  faults: scenario.faults.filter((fault) => !('node' in fault && fault.node === id)),
})
