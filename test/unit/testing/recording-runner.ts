import { type ConformanceSubject, conformance } from '../../../src/testing/index.ts'

type Body = () => Promise<void>

/** The cases of the suite for a subject, collected and not run. */
export interface Recorded {
  /** By name; each name occurs once. */
  readonly cases: ReadonlyMap<string, Body>
  /** Runs one case between the suite's hooks, and answers what it failed with. */
  failureOf(name: string): Promise<unknown>
}

export function record(subject: ConformanceSubject): Recorded {
  const cases = new Map<string, Body>()
  const hooks: { before: Body[]; after: Body[] } = { before: [], after: [] }
  conformance(
    {
      describe: (_title, body) => body(),
      it(name, body) {
        if (cases.has(name)) throw new Error(`two cases are named ${name}`)
        cases.set(name, body)
      },
      before: (body) => hooks.before.push(body),
      after: (body) => hooks.after.push(body),
    },
    subject,
  )
  return {
    cases,
    async failureOf(name) {
      const body = cases.get(name)
      if (!body) throw new Error(`no case is named ${name}`)
      for (const hook of hooks.before) await hook()
      const failure = await body().then(
        () => undefined,
        (error: unknown) => error,
      )
      const untidy = await Promise.allSettled(hooks.after.map((hook) => hook()))
      return failure ?? untidy.find((each) => each.status === 'rejected')?.reason
    },
  }
}
