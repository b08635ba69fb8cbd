import { StoreError } from '../../src/errors.ts'
import type { AcquireRequest, AcquireResult, LockRecord } from '../../src/provider/contract.ts'
import { decideAcquire } from '../../src/provider/decide.ts'
import { holderOf } from '../../src/provider/holder.ts'
import { allOrNone, inParts } from '../../src/provider/parts.ts'
import { type AcquireRow, FAR, type GrantRow, toGrant, toResult } from './rows.ts'

/** How a batch of different names is settled. */
export interface AcquireCalls {
  read(names: readonly string[]): Promise<ReadonlyMap<string, LockRecord>>
  /** Rows of the names that were settled. */
  acquire(values: unknown[]): Promise<readonly AcquireRow[]>
  /** Rows of the names that were granted, and nothing of the others. */
  grant(values: unknown[]): Promise<readonly GrantRow[]>
}

/** How often names are asked for again whose records were made or dropped by others while the statement ran. */
const ROUNDS = 5

/** A batch is cut into as many parts at most, of so many requests at least. */
const MOST_PARTS = 4
const PART = 2_500
/** For fewer the statement that only grants is not worth a second call for those that it does not. */
const MANY = 200

/**
 * Takes locks, a batch in one call of the server, or in two where that is cheaper.
 *
 * The statement that settles any request costs the server some five times what it takes to read the records, and twice what it takes to grant those that
 * are free. A node that was refused most of what it asked for last reads first, and asks for what then looks free, if anything. A node that was granted
 * most of it has the free ones of many granted, asks for the others, and sends thousands in parts side by side, since the server runs a statement
 * on one core. Which way is taken changes no decision: each is made by one snapshot, and by the server's clock.
 */
export class Acquirer {
  readonly #calls: AcquireCalls
  /** What most requests of the last batch were. */
  #last: 'granted' | 'refused' | undefined

  constructor(calls: AcquireCalls) {
    this.#calls = calls
  }

  /** Answers in request order. The names are different ones. */
  async acquire(requests: readonly AcquireRequest[]): Promise<readonly AcquireResult[]> {
    const answers = await (this.#last === 'refused' ? this.#lookAndTake(requests) : this.#takeInParts(requests))
    let refused = 0
    for (const { granted } of answers) if (!granted) refused++
    this.#last = 2 * refused > answers.length ? 'refused' : 'granted'
    return answers
  }

  async #lookAndTake(requests: readonly AcquireRequest[]): Promise<readonly AcquireResult[]> {
    const seen = await this.#calls.read(requests.map(({ name }) => name))
    const refused = requests.map((request) => refusalBy(seen.get(request.name), request))
    const taken = await this.#take(requests.filter((_, index) => !refused[index]))
    let next = 0
    return refused.map((answer) => answer ?? (taken[next++] as AcquireResult))
  }

  // No part deadlocks with another statement: each locks its records in the order of their names.
  async #takeInParts(requests: readonly AcquireRequest[]): Promise<readonly AcquireResult[]> {
    const take = (part: readonly AcquireRequest[]) =>
      this.#last === 'granted' && part.length >= MANY ? this.#grantAndTake(part) : this.#take(part)
    const count = Math.min(MOST_PARTS, Math.floor(requests.length / PART))
    if (count <= 1) return await take(requests)
    return (await allOrNone(inParts(requests, count).map(take))).flat()
  }

  async #grantAndTake(requests: readonly AcquireRequest[]): Promise<readonly AcquireResult[]> {
    const rows = new Map((await this.#calls.grant(grantValues(requests))).map((row) => [row.name, row]))
    const others = await this.#take(requests.filter(({ name }) => !rows.has(name)))
    let next = 0
    return requests.map(({ name, owner }) => {
      const row = rows.get(name)
      return row ? { granted: true, lease: toGrant(row, owner) } : (others[next++] as AcquireResult)
    })
  }

  async #take(requests: readonly AcquireRequest[]): Promise<readonly AcquireResult[]> {
    const owners = new Map<string, string>()
    for (const { name, owner } of requests) owners.set(name, owner)
    const results = new Map<string, AcquireResult>()
    let open = requests
    for (let round = 0; open.length > 0; round++) {
      if (round === ROUNDS) {
        throw new StoreError(`postgres: ${open.length} locks, such as ${JSON.stringify(open[0]?.name)}, keep changing`)
      }
      const rows = await this.#calls.acquire(acquireValues(open))
      for (const row of rows) results.set(row.name, toResult(row, owners.get(row.name) ?? ''))
      open = open.filter(({ name }) => !results.has(name))
    }
    return requests.map(({ name }) => results.get(name) as AcquireResult)
  }
}

/** The refusal that a record as it was read leads to, or `undefined` when the lock may be free. */
function refusalBy(record: LockRecord | undefined, request: AcquireRequest): AcquireResult | undefined {
  if (!record) return undefined
  const { storeTime } = record
  const decision = decideAcquire(record, request, storeTime)
  return decision.outcome === 'refuse' ? { granted: false, reason: decision.reason, record, storeTime } : undefined
}

/** What a statement takes for one of its array parameters. */
export const column = <Request>(requests: readonly Request[], value: (request: Request) => unknown): unknown[] =>
  requests.map((request) => value(request) ?? null)

const grantValues = (requests: readonly AcquireRequest[]): unknown[] => [
  column(requests, ({ name }) => name),
  column(requests, holderOf),
  column(requests, ({ lockAtMostFor }) => lockAtMostFor),
  column(requests, ({ tick }) => tick),
  column(requests, ({ maxClockSkew }) => Math.min(maxClockSkew, FAR)),
  column(requests, ({ metadata }) => metadata),
]

const acquireValues = (requests: readonly AcquireRequest[]): unknown[] => [
  ...grantValues(requests),
  column(requests, ({ onCrash }) => onCrash === 'rerun'),
]
