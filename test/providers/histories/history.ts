import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { LockProvider, LockRecord } from '../../../src/provider/contract.ts'
import type { ConformanceSubject } from '../../../src/testing/index.ts'
import { assertSameRecord } from '../../../src/testing/records.ts'
import { readAll } from '../../../src/testing/requests.ts'
import type { StoreKind } from '../../simulation/stores/index.ts'
import { type Call, callOf, type Owner } from './calls.ts'
import { ModelOfName } from './model-of-name.ts'
import { type Changing, plainRecord, type Span, send } from './observed-request.ts'
import type { Operation } from './operations.ts'
import type { Tally } from './tally.ts'

/** The real store: two clients of the provider, and the test's own look into it. */
export interface RealStore {
  readonly nodes: readonly LockProvider[]
  readonly subject: ConformanceSubject
}

/** No lease is waited for that lasts longer, in ms. */
const SOON_MS = 50

/** One history: each operation is done on the real store, and then on the model, which must agree. */
export class History {
  readonly #real: RealStore
  readonly #names: readonly string[]
  readonly #owners: readonly Owner[]
  readonly #models: ReadonlyMap<string, ModelOfName>
  readonly #tally: Tally
  readonly #sent: Call[] = []
  readonly #log: string[] = []
  #records: ReadonlyMap<string, LockRecord> = new Map()
  #storeTime = 0

  constructor(real: RealStore, kind: StoreKind, names: readonly string[], labels: readonly string[], tally: Tally) {
    this.#real = real
    this.#names = names
    this.#owners = labels.map((label, index) => ({ label, owner: `00000000-0000-4000-8000-00000000000${index}` }))
    this.#models = new Map(names.map((name) => [name, new ModelOfName(kind, name)]))
    this.#tally = tally
  }

  /** Empties the store of what the history before left. */
  async begin(): Promise<void> {
    const { nodes, subject } = this.#real
    for (const { name } of (await nodes[0]?.read()) ?? []) await subject.lose(name)
    this.#storeTime = await subject.now()
  }

  async take(operation: Operation): Promise<void> {
    const node = this.#real.nodes[operation.node] as LockProvider
    if (operation.verb === 'wait') return this.#wait(this.#names[operation.name] as string)
    if (operation.verb === 'lose') return this.#lose(this.#names[operation.name] as string)
    const call = operation.verb === 'repeat' ? this.#sent.at(-1 - operation.ago) : callOf(operation, this.#situation())
    if (!call) return
    this.#log.push(JSON.stringify(call))
    if (call.verb === 'read') return this.#read(call.names, node)
    this.#sent.push(call)
    await this.#change(call, node, this.#real.nodes[1 - operation.node] as LockProvider)
  }

  async #change(call: Changing, node: LockProvider, other: LockProvider): Promise<void> {
    const from = this.#storeTime
    const deedsOf = await send(call, node, this.#names)
    const { records, span } = await this.#look(other, from)
    const outcome = { records, span, before: this.#records }
    const deeds = deedsOf(outcome)
    this.#tally.count(call, deeds, outcome)
    this.#records = records
    for (const [name, model] of this.#models) {
      const touched = deeds.filter((deed) => deed.name === name)
      const why = await model.settle(touched, records.get(name), records.get(name)?.storeTime ?? span.until)
      if (why) this.#fail(name, why)
    }
    const touched = [...new Set(deeds.map(({ name }) => name))]
    await Promise.all(touched.map((name) => this.#lookInside(name, span.until)))
  }

  /** Reads all records, and how late it is by then. */
  async #look(node: LockProvider, from: number): Promise<{ records: ReadonlyMap<string, LockRecord>; span: Span }> {
    const found = await readAll(node, this.#names)
    const records = new Map(found.map((record) => [record.name, record]))
    // A machine's clock is read in whole milliseconds, and the store may read it finer.
    const fallback = found.length > 0 ? from : (await this.#real.subject.now()) + 1
    const until = Math.max(from, fallback, ...found.map(({ storeTime }) => storeTime))
    this.#storeTime = found.length > 0 ? until : Math.max(from, fallback - 1)
    return { records, span: { from, until } }
  }

  /** Compares with what stands in the store itself. */
  async #lookInside(name: string, at: number): Promise<void> {
    const [actual, expected] = [await this.#real.subject.look(name), await this.#models.get(name)?.read(at)]
    try {
      if (!actual || !expected) assert.equal(actual, expected)
      else assertSameRecord(actual, expected, 'the record in the store')
    } catch (error) {
      this.#fail(name, String(error))
    }
  }

  async #read(names: readonly string[] | undefined, node: LockProvider): Promise<void> {
    const found = await readAll(node, names)
    const wanted = new Set(names ?? this.#names)
    const expected: unknown[] = []
    for (const name of [...wanted].sort()) {
      const at = found.find((record) => record.name === name)?.storeTime ?? this.#storeTime
      const record = plainRecord(await this.#models.get(name)?.read(at))
      if (record) expected.push(record)
    }
    const actual = found.map(plainRecord)
    if (!isDeepStrictEqual(actual, expected)) {
      this.#fail(undefined, `read ${JSON.stringify(actual)}, but should have ${JSON.stringify(expected)}`)
    }
    this.#tally.countRead()
  }

  async #lose(name: string): Promise<void> {
    this.#log.push(JSON.stringify({ verb: 'lose', name }))
    await this.#real.subject.lose(name)
    this.#models.get(name)?.lose()
    const records = new Map(this.#records)
    records.delete(name)
    this.#records = records
  }

  async #wait(name: string): Promise<void> {
    const record = this.#records.get(name)
    if (!record || record.lockUntil - this.#storeTime > SOON_MS) return
    for (;;) {
      this.#storeTime = Math.max(this.#storeTime, await this.#real.subject.now())
      const left = record.lockUntil - this.#storeTime
      if (left < 0) return
      await sleep(Math.ceil(left))
    }
  }

  #situation() {
    return { names: this.#names, owners: this.#owners, records: this.#records, storeTime: this.#storeTime }
  }

  #fail(name: string | undefined, why: string): never {
    const about =
      name === undefined
        ? this.#log
        : this.#log.filter((line) => line.includes(JSON.stringify(name)) || line.includes('"prune"'))
    throw new Error(`${this.#real.subject.name}: ${why}\n\nafter these calls:\n  ${about.join('\n  ')}\n`)
  }
}
