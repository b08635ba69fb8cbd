import { queryIn, type TransactionQuery } from '../../src/clients/transaction.ts'
import type { CompleteRequest, FenceRequest, FenceResult, TransactionSupport } from '../../src/provider/contract.ts'
import { holderOf, releasedHolderOf } from '../../src/provider/holder.ts'
import { bytes } from './client.ts'
import type { LocksTable } from './records.ts'
import type { Statements } from './statements.ts'

/**
 * Joins transactions of `mysql2`, and of the clients that src/clients knows. The record stays locked until they end.
 */
export const transactionsOf = (locks: LocksTable): TransactionSupport => ({
  fence: async (transaction, request) => fence(await locks.statements(), queryIn(transaction), request),
  async complete(transaction, request) {
    const query = queryIn(transaction)
    const statements = await locks.statements()
    const result = await fence(statements, query, request)
    if (result === 'done') await query(statements.complete, completion(request))
    return result
  },
})

async function fence(statements: Statements, query: TransactionQuery, request: FenceRequest): Promise<FenceResult> {
  if (!(await isInside(query))) return 'no-transaction'
  const { rows } = await query(statements.fence, [
    request.fencingToken,
    hex(holderOf(request)),
    hex(releasedHolderOf(request)),
    request.tick ?? null,
    bytes(request.name),
  ])
  const [row] = rows as readonly object[]
  return row ? (String(Object.values(row)[0]) as FenceResult) : 'no-record'
}

const completion = (request: CompleteRequest): unknown[] => [
  hex(releasedHolderOf(request)),
  request.lockAtLeastFor * 1_000,
  request.tick ?? null,
  bytes(request.name),
]

const hex = (text: string): string => Buffer.from(text).toString('hex').toUpperCase()

/** SAVEPOINT does not exist. */
const NO_SAVEPOINT = 1305

/** Outside of a transaction a savepoint ends with its own statement. */
async function isInside(query: TransactionQuery): Promise<boolean> {
  await query('SAVEPOINT ticklock', [])
  try {
    await query('RELEASE SAVEPOINT ticklock', [])
    return true
  } catch (error) {
    if (errnoOf(error) === NO_SAVEPOINT) return false
    throw error
  }
}

/** Some clients wrap the driver's error. */
function errnoOf(error: unknown): unknown {
  const { errno, cause, driverError } = error as { errno?: unknown; cause?: unknown; driverError?: unknown }
  return errno ?? (cause ? errnoOf(cause) : driverError ? errnoOf(driverError) : undefined)
}
