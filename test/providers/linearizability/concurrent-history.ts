import fc from 'fast-check'
import { isRecordBusy } from '../../../src/errors.ts'
import type { AcquireRequest, ExtendRequest, LockProvider, ReleaseRequest } from '../../../src/provider/contract.ts'
import { SKEW_MS } from '../../../src/testing/requests.ts'
import type { Event } from './specification.ts'

export const CLIENTS = 4
const NAMES = 2
const LONG_MS = 3_600_000

/** What one client asks for about one name. Ticks are ms after the history's first. */
interface Asked {
  readonly owner: number
  readonly tick: number | undefined
  readonly rerun: boolean
  readonly keep: boolean
}

/** One call: about some of the names, each at most once. */
export type Operation =
  | { readonly verb: 'acquire' | 'extend' | 'release'; readonly asked: readonly { name: number; of: Asked }[] }
  | { readonly verb: 'forceRelease'; readonly name: number }
  | { readonly verb: 'read' }

const pick = fc.constantFrom

const asked: fc.Arbitrary<Asked> = fc.record({
  owner: fc.nat({ max: 2 }),
  tick: pick(undefined, 0, 0, 1, 2),
  rerun: fc.boolean(),
  keep: pick(false, false, false, true),
})

const requests: fc.Arbitrary<Operation> = fc.record({
  verb: pick('acquire', 'acquire', 'extend', 'release', 'release'),
  asked: fc.uniqueArray(fc.record({ name: fc.nat({ max: NAMES - 1 }), of: asked }), {
    minLength: 1,
    maxLength: NAMES,
    selector: ({ name }) => name,
    size: 'max',
  }),
})
const read: fc.Arbitrary<Operation> = fc.record({ verb: pick('read') })
const forceRelease: fc.Arbitrary<Operation> = fc.record({
  verb: pick('forceRelease'),
  name: fc.nat({ max: NAMES - 1 }),
})

const operation = fc.oneof(
  { weight: 9, arbitrary: requests },
  { weight: 1, arbitrary: read },
  { weight: 1, arbitrary: forceRelease },
)

/** What each client does, one call after another, at the same time as the others. */
export const programs = fc.array(fc.array(operation, { minLength: 1, maxLength: 5, size: 'max' }), {
  minLength: CLIENTS,
  maxLength: CLIENTS,
})

/** Where and when a history takes place. */
export interface Place {
  readonly names: readonly string[]
  readonly firstTick: number
}

/** Tells what happened to each name. */
export class Recorder {
  readonly #place: Place
  #moment = 0
  readonly events = new Map<string, Event[]>()

  constructor(place: Place) {
    this.#place = place
    for (const name of place.names) this.events.set(name, [])
  }

  async run(node: LockProvider, operation: Operation): Promise<void> {
    const from = this.#moment++
    const note = await this.#send(node, operation)
    const until = this.#moment++
    for (const [name, event] of note) this.events.get(name)?.push({ ...event, from, until } as Event)
  }

  async #send(node: LockProvider, operation: Operation): Promise<[name: string, event: object][]> {
    const { names } = this.#place
    const { verb } = operation
    if (verb === 'read') {
      const records = await node.read(names)
      return names.map((name) => [name, { verb, answer: records.find((record) => record.name === name) }])
    }
    if (verb === 'forceRelease') {
      const name = names[operation.name] as string
      return [[name, { verb, answer: await node.forceRelease(name) }]]
    }
    const requests = operation.asked.map(({ name, of }) => this.#requestOf(verb, names[name] as string, of))
    const answers = await node[verb](requests as never)
    // Another client had the record locked at that moment: nothing was decided.
    return requests.flatMap((request, index) =>
      isRecordBusy(answers[index]) ? [] : [[request.name, { verb, request, answer: answers[index] }]],
    )
  }

  #requestOf(
    verb: 'acquire' | 'extend' | 'release',
    name: string,
    { owner, tick, rerun, keep }: Asked,
  ): AcquireRequest | ExtendRequest | ReleaseRequest {
    const holder = { name, owner: `owner-${owner}`, label: 'one-host:1' }
    const at = tick === undefined ? {} : { tick: this.#place.firstTick + tick }
    if (verb === 'extend') return { ...holder, lockAtMostFor: LONG_MS, lockAtLeastFor: 0 }
    if (verb === 'release') return { ...holder, lockAtLeastFor: keep ? LONG_MS : 0, ...at }
    return { ...holder, lockAtMostFor: LONG_MS, maxClockSkew: SKEW_MS, onCrash: rerun ? 'rerun' : 'skip', ...at }
  }
}
