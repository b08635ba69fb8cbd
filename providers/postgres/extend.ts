import type { CallOptions, ExtendRequest, Lease, Settled } from '../../src/provider/contract.ts'
import { holderOf } from '../../src/provider/holder.ts'
import { boundsOf, byName, column, decideBatch, eachAlone } from './batch.ts'
import { prepared } from './prepared.ts'
import { clamp, type ExtendRow, toExtended } from './rows.ts'
import { extendStatement } from './statements/extend.ts'
import type { Table } from './table.ts'

/** Extends leases, a batch in one call of the server. */
export function extender(table: Table) {
  const statement = prepared(extendStatement(table.quoted))
  return (requests: readonly ExtendRequest[], options?: CallOptions): Promise<readonly Settled<Lease | undefined>[]> =>
    decideBatch(table, requests, (wave) =>
      eachAlone(wave, async (part) => {
        const rows = byName(await table.call<ExtendRow>(statement, valuesOf(part), boundsOf(options)))
        return part.map(({ name, owner }) => toExtended(rows.get(name), name, owner))
      }),
    )
}

const valuesOf = (requests: readonly ExtendRequest[]): unknown[] => [
  column(requests, ({ name }) => name),
  column(requests, holderOf),
  column(requests, ({ lockAtMostFor }) => lockAtMostFor),
  column(requests, ({ lockAtLeastFor }) => lockAtLeastFor),
  column(requests, ({ mayShortenUntil }) => mayShortenUntil && clamp(mayShortenUntil)),
]
