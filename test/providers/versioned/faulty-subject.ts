import type { ConformanceSubject } from '../../../src/testing/index.ts'
import { type FaultRates, randomFrom, withFaults } from './faults.ts'
import { versionedSubject } from './versioned-subject.ts'

const faulty = (name: string, rates: FaultRates): ConformanceSubject => {
  const random = randomFrom(17)
  return versionedSubject(name, (store, versions) => withFaults(store, versions, rates, random))
}

/** A versioned store whose every fifth write meets another writer, and whose every tenth is not done. */
export const contendedSubject = (): ConformanceSubject =>
  faulty('a store that compares and sets, with conflicts', { conflict: 0.2, lostRequest: 0.1 })

/**
 * The same, with lost responses too. A node that is alone with a lock does not notice them. Beside others it may learn less: a lock that it released may
 * have a new holder when it reads again, so its release returns false.
 */
export const lossySubject = (): ConformanceSubject =>
  faulty('a store that compares and sets, with conflicts and lost responses', {
    conflict: 0.2,
    lostRequest: 0.1,
    lostResponse: 0.1,
    failedCall: 0.1,
  })
