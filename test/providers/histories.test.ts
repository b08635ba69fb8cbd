/*
 * The models of the simulation and the real providers must agree: a random history of operations is done on both, and after each of
 * them all answers and records are compared.
 *
 * TICKLOCK_HISTORY_OPERATIONS=100000 makes it longer; TICKLOCK_HISTORY_SEED=… begins where a failure said.
 */
import { describe, expect, it } from 'vitest'
import { checkHistories } from './histories/check-histories.ts'
import { EXPECTED } from './histories/tally.ts'
import { subjectsInTurn } from './subjects.ts'

/** How many operations each provider does at least. */
const OPERATIONS = Number(process.env.TICKLOCK_HISTORY_OPERATIONS ?? 10_000)
const SEED = Number(process.env.TICKLOCK_HISTORY_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** Only a store that hangs takes so long: a call takes some ms, and one in twenty waits for a lease. */
const TIMEOUT = 120_000 + OPERATIONS * 60

describe.concurrent('a random history is the same on the model and', () => {
  for (const { name, kind, why, subject } of subjectsInTurn) {
    it.skipIf(why !== undefined)(
      `on ${name}`,
      async () => {
        // PGlite is PostgreSQL once more, and slow: it runs in this process.
        const operations = name === 'pglite' || name === 'http' ? OPERATIONS / 4 : OPERATIONS
        const tally = await checkHistories(subject('ticklock_histories'), { kind, operations, seed: SEED })
        console.log(`${name}: ${tally.operations} operations in ${tally.calls} calls, all as its model has it`)
        for (const outcome of EXPECTED) expect(tally.outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(0)
      },
      TIMEOUT,
    )
  }
})
