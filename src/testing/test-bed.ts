import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Lease, LockProvider } from '../provider/contract.ts'
import { assertSameRecord, assertWithin } from './records.ts'
import { type Holder, newHolder, readAll } from './requests.ts'
import type { ConformanceSubject, StoredRecord } from './subject.ts'

/** How long the suite waits for what must come by itself, on top of the lease that it waits for. */
const TIMEOUT_MS = 10_000

/** How many nodes take part where many ask at once. */
const NODES = 5

/** What a case works with: nodes on one store, fresh names, and a look into the store that goes past the provider. */
export class TestBed {
  readonly subject: ConformanceSubject
  readonly #nodes: LockProvider[] = []

  constructor(subject: ConformanceSubject) {
    this.subject = subject
  }

  async open(): Promise<void> {
    await this.subject.before?.()
    for (let node = 0; node < NODES; node++) this.#nodes.push(await this.subject.connect())
    await this.a.setup?.()
  }

  async close(): Promise<void> {
    try {
      await Promise.all(this.#nodes.map((node) => node.close()))
    } finally {
      await this.subject.after?.()
    }
  }

  /** All nodes, each with a client of its own. */
  get nodes(): readonly LockProvider[] {
    return this.#nodes
  }

  /** One node. */
  get a(): LockProvider {
    return this.#node(0)
  }

  /** Another node. */
  get b(): LockProvider {
    return this.#node(1)
  }

  #node(index: number): LockProvider {
    const node = this.#nodes[index]
    assert.ok(node, 'the bench is not open')
    return node
  }

  /** A name that nobody ever used. */
  name(hint = 'job'): string {
    return `${hint}-${randomUUID()}`
  }

  /** Someone who requests a name, with an owner of its own: a fresh name unless one is given. */
  holder(name = this.name()): Holder {
    return newHolder(name)
  }

  now(): Promise<number> {
    return Promise.resolve(this.subject.now())
  }

  /** The record of a name, which must be there. */
  async look(name: string): Promise<StoredRecord> {
    const record = await this.subject.look(name)
    assert.ok(record, `the store holds no record of ${JSON.stringify(name)}`)
    return record
  }

  /** How far a node may be off the clock that decides, in ms. */
  get clockError(): number {
    return this.subject.clockError ?? 0
  }

  /** Waits until the clock that decides has passed a time, as every node knows it. */
  async until(at: number): Promise<void> {
    const time = at + this.clockError
    for (let now = await this.now(); now <= time; now = await this.now())
      await pause(Math.min(time - now + 1, TIMEOUT_MS))
  }

  /** Waits until the lease on a name is over, as the provider reads it, and tells that it doesn't take longer than it may. */
  async lapsed(name: string): Promise<void> {
    const deadline = performance.now() + TIMEOUT_MS
    for (;;) {
      const [record] = await readAll(this.a, [name])
      assert.ok(record, `read does not know ${JSON.stringify(name)}`)
      // ShedLock asks some stores by a clock that is cut to whole milliseconds: for that one, too, it shall have
      // expired. Another node may be behind this one.
      const left = record.lockUntil - Math.floor(record.storeTime) + this.clockError
      if (left <= 0) return
      assert.ok(performance.now() + left < deadline, `a lease that should be short has ${left} ms left`)
      await pause(Math.min(left, 20))
    }
  }

  /** Makes a request whose answer must tell the time at which it was decided. */
  async timely<Answer extends { readonly storeTime: number }>(ask: () => Promise<Answer>): Promise<Answer> {
    const from = await this.now()
    const answer = await ask()
    const to = await this.now()
    const off = this.clockError
    assertWithin(answer.storeTime, from - off, to + off, 'storeTime, by the clock that decides,')
    return answer
  }

  /**
   * Requests a lease that must count from the moment of the decision: from some time between the sending of the request
   * and the `storeTime` of the answer, which a provider may read after it has decided.
   */
  async lasting(ms: number, ask: () => Promise<Lease>): Promise<Lease> {
    const from = await this.now()
    const lease = await this.timely(ask)
    assertWithin(lease.lockUntil - ms, from - this.clockError, lease.storeTime, `the start of a lease of ${ms} ms`)
    return lease
  }

  /** Runs something that must change nothing about a name in the store. */
  async unchanged<Result>(name: string, what: string, run: () => Promise<Result>): Promise<Result> {
    const before = await this.look(name)
    const result = await run()
    assertSameRecord(await this.look(name), before, `${what} must change nothing in the store`)
    return result
  }
}
