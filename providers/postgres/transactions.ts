import { queryIn } from '../../src/clients/transaction.ts'
import type { FenceRequest, FenceResult, TransactionSupport } from '../../src/provider/contract.ts'
import { holderOf } from '../../src/provider/holder.ts'
import { completeStatement, fenceStatement, MARK_STATEMENT } from './statements/fence.ts'

interface Row {
  readonly inside: boolean
  readonly latest: boolean
  readonly completed: boolean
  readonly known: boolean
}

/** Joins transactions of `pg`, and of the clients that src/clients knows. `table` is quoted. */
export function transactionsOf(table: string): TransactionSupport {
  const fence = fenceStatement(table)
  const complete = completeStatement(table)
  return {
    fence: (transaction, request) => run(transaction, fence, valuesOf(request)),
    complete: (transaction, request) =>
      run(transaction, complete, [...valuesOf(request), String(request.lockAtLeastFor)]),
  }
}

const valuesOf = (request: FenceRequest): (string | null)[] => [
  request.name,
  holderOf(request),
  String(request.fencingToken),
  request.tick === undefined ? null : String(request.tick),
]

async function run(transaction: object, statement: string, values: readonly (string | null)[]): Promise<FenceResult> {
  const query = queryIn(transaction)
  await query(MARK_STATEMENT, [])
  const { rows } = await query(statement, [...values])
  const { inside, latest, completed, known } = rows[0] as Row
  if (!inside) return 'no-transaction'
  if (latest) return 'done'
  if (completed) return 'completed'
  return known ? 'lost' : 'no-record'
}
