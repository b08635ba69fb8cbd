import fc from 'fast-check'
import type { ConformanceSubject } from '../../../src/testing/index.ts'
import type { StoreKind } from '../../simulation/stores/index.ts'
import { labels, names, operation } from './arbitraries.ts'
import { History, type RealStore } from './history.ts'
import type { Operation } from './operations.ts'
import { Tally } from './tally.ts'

/** How many operations each provider does at least. */
export const OPERATIONS = Number(process.env.TICKLOCK_HISTORY_OPERATIONS ?? 10_000)

/** What the first histories are made of; a failure tells it. */
const SEED = Number(process.env.TICKLOCK_HISTORY_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** Histories that share a seed. */
const AT_ONCE = 10
const LONGEST = 80

/** An operation as fast-check runs and prints it. */
class Step implements fc.AsyncCommand<History, RealStore> {
  readonly #operation: Operation

  constructor(operation: Operation) {
    this.#operation = operation
  }

  check = (): boolean => true
  run = (history: History): Promise<void> => history.take(this.#operation)
  toString = (): string => `\n    ${JSON.stringify(this.#operation)}`
}

/**
 * Runs random histories on a store and on its model, until there were enough operations.
 *
 * @throws with the seed and the shortest history found, where the two don't agree.
 */
export async function checkHistories(subject: ConformanceSubject, kind: StoreKind): Promise<Tally> {
  const tally = new Tally()
  await subject.before?.()
  const nodes = [await subject.connect(), await subject.connect()]
  try {
    for (const node of nodes) await node.setup?.()
    const real: RealStore = { nodes, subject }
    const steps = fc.commands([operation.map((made) => new Step(made))], { maxCommands: LONGEST, size: 'max' })
    const property = fc.asyncProperty(names, labels, steps, async (name, label, commands) => {
      const history = new History(real, kind, name, label, tally)
      await history.begin()
      await fc.asyncModelRun(() => ({ model: history, real }), commands)
    })
    for (let seed = SEED; tally.operations < OPERATIONS; seed++) await fc.assert(property, { numRuns: AT_ONCE, seed })
  } finally {
    for (const node of nodes) await node.close()
    await subject.after?.()
  }
  return tally
}
