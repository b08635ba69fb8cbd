/*
 * Several clients do random things to the same locks at once. Whatever the store makes of it, there must be an order in which a single
 * lock would have answered all of them so.
 *
 * TICKLOCK_HISTORY_OPERATIONS=100000 makes it longer; TICKLOCK_HISTORY_SEED=… begins with the programs that a failure told.
 */
import { describe, expect, it } from 'vitest'
import { checkLinearizable } from './linearizability/check-linearizable.ts'
import { subjects } from './subjects.ts'

/** How many requests each provider does at least. */
const EVENTS = Number(process.env.TICKLOCK_HISTORY_OPERATIONS ?? 4_000)
const SEED = Number(process.env.TICKLOCK_HISTORY_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** Only a store that hangs takes so long. */
const TIMEOUT = 120_000 + EVENTS * 60

describe.concurrent('what several clients do at once has an order', () => {
  for (const { name, kind, why, subject } of subjects) {
    it.skipIf(why !== undefined)(
      `on ${name}`,
      async () => {
        const inSteps = kind === 'mongodb' || kind === 'mysql'
        const options = { events: EVENTS, seed: SEED, inSteps }
        const { histories, events, concurrent } = await checkLinearizable(subject('ticklock_linearizable'), options)
        console.log(`${name}: ${events} requests in ${histories} histories, ${concurrent} of them beside another`)
        expect(histories).toBeGreaterThan(0)
      },
      TIMEOUT,
    )
  }
})
