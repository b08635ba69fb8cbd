/* The conformance suite must be able to fail: each defect of a provider has a case that finds it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { conformance } from '../../../src/testing/index.ts'
import { breakableStore } from './breakable-store.ts'
import { mutants } from './mutants/index.ts'
import { record } from './recording-runner.ts'

describe('a provider that does everything right', () => {
  conformance({ describe, it, beforeAll, afterAll }, breakableStore('a store in memory with a clock of its own'))
})

describe('the conformance suite finds a provider that', () => {
  for (const { defect, caughtBy, broken, hooks } of mutants) {
    it.concurrent(`${defect}, by: ${caughtBy}`, async () => {
      expect(await record(breakableStore('broken', broken, hooks)).failureOf(caughtBy)).toBeInstanceOf(Error)
    })
  }

  it.concurrent('leaves something out only when the subject says why', async () => {
    const whyNot = 'nobody ever did this'
    const subject = breakableStore('poor', undefined, { asShedLock: whyNot, unreachable: '' })
    const { cases, failureOf } = record(subject)
    expect([...cases.keys()]).toContain(`is left out: ${whyNot}`)
    expect(await failureOf(`is left out: ${whyNot}`)).toBeUndefined()
    expect(await failureOf('is left out: ')).toBeInstanceOf(Error)
  })
})
