import { InvalidOptionError } from '../../src/errors.ts'
import type { FenceRequest, FenceResult, TransactionSupport } from '../../src/provider/contract.ts'
import { releasedHolderOf } from '../../src/provider/holder.ts'
import type { CollectionSource } from './client.ts'
import { type Change, completionOf, fenceOf } from './updates.ts'

/** The driver's `ClientSession`, and what is used of its client. */
interface Session {
  inTransaction(): boolean
  readonly client: { db(name: string): { collection(name: string): Collection } }
}

interface Collection {
  updateOne(filter: object, update: object[], options: object): Promise<{ readonly matchedCount: number }>
  countDocuments(filter: object, options: object): Promise<number>
}

/**
 * Joins transactions of sessions of the driver. A record that was written in one can't be taken over before it ends.
 */
export const transactionsOf = (source: CollectionSource): TransactionSupport => ({
  fence: (transaction, request) => run(source, transaction, request, fenceOf(request)),
  complete: (transaction, request) => run(source, transaction, request, completionOf(request)),
})

async function run(
  source: CollectionSource,
  transaction: object,
  request: FenceRequest,
  { filter, update }: Change,
): Promise<FenceResult> {
  const session = sessionOf(transaction)
  if (!session.inTransaction()) return 'no-transaction'
  // By the session's own client: the driver refuses another one's.
  const { dbName, collectionName } = (await source.get()) as unknown as { dbName: string; collectionName: string }
  const collection = session.client.db(dbName).collection(collectionName)
  const { matchedCount } = await collection.updateOne(filter, update, { session })
  if (matchedCount === 1) return 'done'
  const found = async (condition: object): Promise<boolean> =>
    (await collection.countDocuments({ _id: request.name, ...condition }, { session })) > 0
  const { fencingToken } = request
  if (await found({ fencingToken, lockedBy: releasedHolderOf(request) })) return 'completed'
  return (await found({})) ? 'lost' : 'no-record'
}

function sessionOf(transaction: object): Session {
  if ('inTransaction' in transaction && 'client' in transaction) return transaction as Session
  throw new InvalidOptionError('a transaction of mongodb: expected a session of the package mongodb with a transaction')
}
