type Body = () => Promise<void>

/**
 * The functions of a test runner, as vitest, jest (`beforeAll`, `afterAll`) and node:test (`before`, `after`) have them.
 * They may be passed as they are: `conformance({ describe, it, beforeAll, afterAll }, subject)`.
 */
export interface TestRunner {
  describe(name: string, body: () => void): unknown
  it(name: string, body: Body): unknown
  readonly before?: (body: Body) => unknown
  readonly after?: (body: Body) => unknown
  readonly beforeAll?: (body: Body) => unknown
  readonly afterAll?: (body: Body) => unknown
}

/** The runner's hooks, whichever names it has for them. */
export function hooksOf(runner: TestRunner): { before: (body: Body) => unknown; after: (body: Body) => unknown } {
  const before = runner.before ?? runner.beforeAll
  const after = runner.after ?? runner.afterAll
  if (!before || !after) throw new TypeError('conformance needs beforeAll and afterAll (or before and after)')
  return { before, after }
}
