import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { LockProvider } from '../../../src/provider/contract.ts'
import type { ConformanceSubject } from '../../../src/testing/index.ts'
import { granted, newHolder, readAll } from '../../../src/testing/requests.ts'
import { PendingRequests } from '../histories/pending-requests.ts'
import { CLIENTS, type Operation, programs, Recorder } from './concurrent-history.ts'
import { findOrder } from './search.ts'
import { type Event, keyOf, stateOf, stepOf } from './specification.ts'

export interface Checked {
  readonly histories: number
  /** Requests about one name. */
  readonly events: number
  /** Of these, requests that were under way together with another about the same name. */
  readonly concurrent: number
}

export interface Options {
  /** How many requests are checked at least. */
  readonly events: number
  readonly seed: number
  /** Whether the provider writes a grant, and then reads what came of it: see `stepOf`. */
  readonly inSteps: boolean
}

/**
 * Lets several clients do random things to the same names at once, until there were enough requests, and looks for an order in which a single
 * lock would have answered all of them so.
 *
 * @throws with the history of a name for which there is none.
 */
export async function checkLinearizable(subject: ConformanceSubject, options: Options): Promise<Checked> {
  const checked = { histories: 0, events: 0, concurrent: 0 }
  await subject.before?.()
  const nodes = await Promise.all(Array.from({ length: CLIENTS }, () => subject.connect()))
  try {
    for (const node of nodes) await node.setup?.()
    const unanswered = new PendingRequests()
    const property = fc.asyncProperty(programs, fc.boolean(), async (made, crashed) => {
      const happened = await unanswered.unless(() => happen(nodes, subject, made, crashed, stepOf(options)))
      if (!happened) return
      for (const events of happened.answer) {
        checked.events += events.length
        checked.concurrent += events.filter((event) => events.some((other) => overlap(event, other))).length
      }
      checked.histories++
    })
    // Who comes first is not in our hands, so a failure would not come again while it is made shorter.
    for (let { seed } = options; checked.events < options.events; seed++) {
      await fc.assert(property, { numRuns: 20, seed, endOnFailure: true })
    }
  } finally {
    for (const node of nodes) await node.close()
    await subject.after?.()
  }
  return checked
}

const overlap = (one: Event, other: Event): boolean => one !== other && one.from < other.until && other.from < one.until

/** One history; answers with what happened to each name. */
async function happen(
  nodes: readonly LockProvider[],
  subject: ConformanceSubject,
  made: readonly (readonly Operation[])[],
  crashed: boolean,
  step: ReturnType<typeof stepOf>,
): Promise<readonly (readonly Event[])[]> {
  const [one] = nodes as [LockProvider]
  const names = [randomUUID(), randomUUID()]
  const firstTick = Math.floor(await subject.now()) - 1_000
  // A lease that lapsed, with its tick unfinished: one of those who want to rerun it may take it over.
  if (crashed) {
    for (const name of names) {
      const { lockUntil } = await granted(one, newHolder(name), { tick: firstTick, lockAtMostFor: 1 })
      while ((await subject.now()) <= lockUntil) await new Promise(setImmediate)
    }
  }
  const before = await readAll(one, names)
  const recorder = new Recorder({ names, firstTick })
  await Promise.all(
    made.map(async (program, index) => {
      for (const operation of program) await recorder.run(nodes[index] as LockProvider, operation)
    }),
  )
  await recorder.run(one, { verb: 'read' })
  for (const name of names) {
    const events = recorder.events.get(name) ?? []
    const start = stateOf(before.find((record) => record.name === name))
    if (!findOrder(events, start, step, keyOf)) throw new Error(explain(subject.name, start.record, events))
    await subject.lose(name)
  }
  return [...recorder.events.values()]
}

function explain(store: string, start: unknown, events: readonly Event[]): string {
  const lines = events
    .toSorted((a, b) => a.from - b.from)
    .map(({ from, until, ...event }) => `  ${from}–${until}  ${JSON.stringify(event)}`)
  return `${store}: no order explains these answers, beginning with ${JSON.stringify(start)}:\n${lines.join('\n')}`
}
