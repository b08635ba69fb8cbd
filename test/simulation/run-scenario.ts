import { Cluster } from './cluster.ts'
import { judgeLiveness, type Liveness } from './liveness.ts'
import type { Scenario } from './scenario.ts'
import { type Violation, Witness } from './witness.ts'
import { World } from './world.ts'

export interface Result extends Liveness {
  readonly violations: readonly Violation[]
  /** Runs, those of a crashed tick on another node included. */
  readonly runs: number
  /** Runs that are once more because the store had forgotten a grant, as it documents. */
  readonly forgottenRuns: number
}

/** The real scheduler, locks and keep-alive on simulated machines, network and store, as the scenario has it. `trace` is told the history. */
export async function runScenario(scenario: Scenario, trace?: (line: string) => void): Promise<Result> {
  const world = new World(scenario.start)
  const witness = new Witness(world, scenario, trace)
  const cluster = new Cluster(scenario, world, witness)
  cluster.start()
  const { violations } = witness
  await world.run(cluster.end, () => violations.length > 0)
  const liveness = violations.length > 0 ? { due: 0, run: 0, reasons: {} } : judgeLiveness(cluster)
  return { violations, ...liveness, runs: witness.runs, forgottenRuns: witness.forgottenRuns }
}
