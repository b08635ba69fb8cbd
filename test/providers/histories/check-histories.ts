import fc from 'fast-check'
import type { ConformanceSubject } from '../../../src/testing/index.ts'
import type { StoreKind } from '../../simulation/stores/index.ts'
import { labels, names, operation } from './arbitraries.ts'
import { History, type RealStore } from './history.ts'
import type { Operation } from './operations.ts'
import { PendingRequests } from './pending-requests.ts'
import { Tally } from './tally.ts'

/** Histories that share a seed. */
const AT_ONCE = 10
const LONGEST = 80
const LONGEST_SHORTENING_MS = 30_000

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

export interface HistoryOptions {
  /** What the store has to be like. */
  readonly kind: StoreKind
  /** How many there are at least. */
  readonly operations: number
  /** What the first histories are made of; the next seeds follow. */
  readonly seed: number
  /** Whether to look for the shortest history that shows a failure. @default true */
  readonly shorten?: boolean
}

/**
 * Runs random histories on a store and on its model, until there were enough operations.
 *
 * @throws with the seed and the shortest history found, where the two don't agree.
 */
export async function checkHistories(subject: ConformanceSubject, options: HistoryOptions): Promise<Tally> {
  const { kind, operations, shorten = true } = options
  const tally = new Tally()
  await subject.before?.()
  const nodes = [await subject.connect(), await subject.connect()]
  try {
    for (const node of nodes) await node.setup?.()
    const real: RealStore = { nodes, subject }
    const steps = fc.commands([operation.map((made) => new Step(made))], { maxCommands: LONGEST, size: 'max' })
    const unanswered = new PendingRequests()
    let failedAt: number | undefined
    const property = fc.asyncProperty(names, labels, steps, async (name, label, commands) => {
      // What fails only now and then would be shortened for ever.
      if (failedAt !== undefined && performance.now() > failedAt + LONGEST_SHORTENING_MS) return
      const history = new History(real, kind, name, label, tally)
      const run = async (): Promise<void> => {
        await history.begin()
        await fc.asyncModelRun(() => ({ model: history, real }), commands)
      }
      await unanswered.unless(run).catch((error: unknown) => {
        failedAt ??= performance.now()
        throw error
      })
    })
    for (let { seed } = options; tally.operations < operations; seed++) {
      await fc.assert(property, { numRuns: AT_ONCE, seed, endOnFailure: !shorten })
    }
  } finally {
    for (const node of nodes) await node.close()
    await subject.after?.()
  }
  return tally
}
