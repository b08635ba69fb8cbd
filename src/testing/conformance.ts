import assert from 'node:assert/strict'
import { groups } from './cases/index.ts'
import { hooksOf, type TestRunner } from './runner.ts'
import type { ConformanceSubject } from './subject.ts'
import { TestBed } from './test-bed.ts'

/**
 * Defines the conformance suite for one kind of store: every promise of the provider contract as a test of its own, run
 * against the real store. A provider that passes keeps ticklock's guarantees.
 *
 * @example
 * import { afterAll, beforeAll, describe, it } from 'vitest'
 * conformance({ describe, it, beforeAll, afterAll }, subject)
 */
export function conformance(runner: TestRunner, subject: ConformanceSubject): void {
  const { before, after } = hooksOf(runner)
  runner.describe(`conformance of ${subject.name}`, () => {
    const bench = new TestBed(subject)
    before(() => bench.open())
    after(() => bench.close())
    for (const { title, cases, leftOut } of groups) {
      const whyNot = leftOut?.(subject)
      runner.describe(title, () => {
        if (whyNot !== undefined) return reportLeftOut(runner, whyNot)
        for (const [name, run] of Object.entries(cases)) runner.it(name, () => run(bench))
      })
    }
  })
}

function reportLeftOut(runner: TestRunner, whyNot: string): void {
  runner.it(`is left out: ${whyNot}`, async () => {
    assert.match(whyNot, /\w{2,}/, 'say in words why the store cannot be asked for this')
  })
}
