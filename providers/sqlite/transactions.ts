import { InvalidOptionError } from '../../src/errors.ts'
import type { FenceRequest, FenceResult, TransactionSupport } from '../../src/provider/contract.ts'
import { decideComplete, decideFence, type StoredLock } from '../../src/provider/decide.ts'
import { checkLock } from '../../src/provider/record.ts'
import type { SqliteDatabase } from './driver.ts'
import { LocksTable } from './records.ts'

/**
 * Joins a transaction on an open database of the file that keeps the locks. The record is written in any case: only who
 * has the file's write lock keeps others from taking the lock over.
 */
export function transactionsOf(table: string, now: () => number): TransactionSupport {
  const change = (
    transaction: object,
    request: FenceRequest,
    next: (record: StoredLock) => StoredLock,
  ): FenceResult => {
    const database = databaseOf(transaction)
    if (!isInside(database)) return 'no-transaction'
    const locks = new LocksTable(database, table)
    const raw = locks.get(request.name)
    const record = raw && checkLock(raw)
    const result = decideFence(record, request)
    if (record && result === 'done') locks.put(next(record))
    return result
  }
  return {
    fence: async (transaction, request) => change(transaction, request, (record) => record),
    complete: async (transaction, request) =>
      change(transaction, request, (record) => decideComplete(record, request, now())),
  }
}

function databaseOf(transaction: object): SqliteDatabase {
  if ('prepare' in transaction && 'exec' in transaction) return transaction as SqliteDatabase
  throw new InvalidOptionError(
    'a transaction of sqlite: expected the open database on which it was begun, of the file that keeps the locks',
  )
}

/** A driver that doesn't say it refuses a second BEGIN. */
function isInside(database: SqliteDatabase): boolean {
  const known = database.isTransaction ?? database.inTransaction
  if (known !== undefined) return known
  try {
    database.exec('BEGIN')
  } catch {
    return true
  }
  database.exec('ROLLBACK')
  return false
}
