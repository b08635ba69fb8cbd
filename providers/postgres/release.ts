import type { CallOptions, ReleaseRequest, Settled } from '../../src/provider/contract.ts'
import { holderOf } from '../../src/provider/holder.ts'
import { boundsOf, byName, column, decideBatch, eachAlone } from './batch.ts'
import { prepared } from './prepared.ts'
import { type ReleaseRow, toReleased } from './rows.ts'
import { releaseStatement } from './statements/release.ts'
import type { Table } from './table.ts'

/** Releases locks, a batch in one call of the server. */
export function releaser(table: Table) {
  const statement = prepared(releaseStatement(table.quoted))
  return (requests: readonly ReleaseRequest[], options?: CallOptions): Promise<readonly Settled<boolean>[]> =>
    decideBatch(table, requests, (wave) =>
      eachAlone(wave, async (part) => {
        const rows = byName(await table.call<ReleaseRow>(statement, valuesOf(part), boundsOf(options)))
        return part.map(({ name }) => toReleased(rows.get(name), name))
      }),
    )
}

const valuesOf = (requests: readonly ReleaseRequest[]): unknown[] => [
  column(requests, ({ name }) => name),
  column(requests, holderOf),
  column(requests, ({ lockAtLeastFor }) => lockAtLeastFor),
  column(requests, ({ tick }) => tick),
]
