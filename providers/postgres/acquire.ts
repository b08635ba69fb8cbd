import type {
  AcquireRequest,
  AcquireResult,
  CallOptions,
  LockRecord,
  Settled,
  UnreadableRecord,
} from '../../src/provider/contract.ts'
import { decideAcquire } from '../../src/provider/decide.ts'
import { holderOf } from '../../src/provider/holder.ts'
import { isUnreadable } from '../../src/provider/record.ts'
import { boundsOf, byName, column, decideBatch, eachAlone } from './batch.ts'
import type { Bounds } from './client.ts'
import { prepared, type Statement } from './prepared.ts'
import type { Records } from './records.ts'
import { type AcquireRow, clamp, toAcquired } from './rows.ts'
import { acquireStatement } from './statements/acquire.ts'
import type { Table } from './table.ts'

/**
 * Takes locks, a batch in one call of the server, or in two where that is cheaper: the statement that decides any request costs the server a
 * multiple of reading the records. A node that expects to be refused, or was refused most of its last batch, reads first, and takes what then looks free, if anything.
 * That changes no decision: each is made by one snapshot, and by the server's clock.
 */
export class Acquirer {
  readonly #table: Table
  readonly #records: Records
  readonly #statement: Statement
  #readsFirst = false

  constructor(table: Table, records: Records) {
    this.#table = table
    this.#records = records
    this.#statement = prepared(acquireStatement(table.quoted))
  }

  acquire(requests: readonly AcquireRequest[], options?: CallOptions): Promise<readonly Settled<AcquireResult>[]> {
    const bounds = boundsOf(options)
    return decideBatch(this.#table, requests, (wave) =>
      options?.mostRefused ? this.#readAndTake(wave, bounds) : this.#acquire(wave, bounds),
    )
  }

  async #acquire(requests: readonly AcquireRequest[], bounds: Bounds): Promise<readonly Settled<AcquireResult>[]> {
    const results = await (this.#readsFirst ? this.#readAndTake(requests, bounds) : this.#take(requests, bounds))
    let refused = 0
    for (const result of results) if (!(result instanceof Error) && !result.granted) refused++
    this.#readsFirst = 2 * refused > results.length
    return results
  }

  async #readAndTake(requests: readonly AcquireRequest[], bounds: Bounds): Promise<readonly Settled<AcquireResult>[]> {
    const records = await this.#records.of(
      requests.map(({ name }) => name),
      bounds.timeout,
    )
    const refused = requests.map((request) => refusalBy(records.get(request.name), request))
    const taken = await this.#take(
      requests.filter((_, index) => !refused[index]),
      bounds,
    )
    let next = 0
    return refused.map((result) => result ?? (taken[next++] as Settled<AcquireResult>))
  }

  #take(requests: readonly AcquireRequest[], bounds: Bounds): Promise<readonly Settled<AcquireResult>[]> {
    return eachAlone(requests, async (part) => {
      const rows = byName(await this.#table.call<AcquireRow>(this.#statement, valuesOf(part), bounds))
      return part.map(({ name, owner }) => {
        const result = toAcquired(rows.get(name), name, owner)
        this.#records.refused(result)
        return result
      })
    })
  }
}

/** The refusal that a record as it was read leads to, or `undefined` when the lock may be free. */
function refusalBy(
  record: LockRecord | UnreadableRecord | undefined,
  request: AcquireRequest,
): Settled<AcquireResult> | undefined {
  if (!record) return undefined
  if (isUnreadable(record)) return record.unreadable
  const { storeTime } = record
  const decision = decideAcquire(record, request, storeTime)
  return decision.outcome === 'refuse' ? { granted: false, reason: decision.reason, record, storeTime } : undefined
}

const valuesOf = (requests: readonly AcquireRequest[]): unknown[] => [
  column(requests, ({ name }) => name),
  column(requests, holderOf),
  column(requests, ({ lockAtMostFor }) => lockAtMostFor),
  column(requests, ({ tick }) => tick),
  column(requests, ({ maxClockSkew }) => clamp(maxClockSkew)),
  column(requests, ({ metadata }) => metadata),
  column(requests, ({ onCrash }) => onCrash === 'rerun'),
]
