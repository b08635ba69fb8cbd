import { afterAll, beforeAll, describe, it } from 'vitest'
import type { TestRunner } from '../../src/testing/runner.ts'

/** What these put to the proof is the store's decision, which no client changes. The other groups are about what a client does to values, lists, errors and connections. */
const OF_THE_STORE = [
  'one holder',
  'only the owner',
  'clocks of clients that are 5 minutes ahead or behind decide nothing',
  'a lost reply is harmless',
  'extensions and lockAtLeastFor',
  'a crash is told from an end',
  'a forced release',
  'a JVM node that uses ShedLock',
]

const describeOfClients: TestRunner['describe'] = (title, body) => {
  if (!OF_THE_STORE.includes(title)) describe(title, body)
}

/** The whole conformance suite for the first client of a store, and for the others the groups in which a client has its hand. */
export const runnerFor = (index: number): TestRunner => ({
  describe: index === 0 ? describe : describeOfClients,
  it,
  beforeAll,
  afterAll,
})
