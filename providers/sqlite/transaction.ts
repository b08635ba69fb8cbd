import type { SqliteDatabase } from './driver.ts'

/** Thrown instead of starting a transaction inside one that the owner of the database has open. */
export class InUse extends Error {}

/**
 * Runs `work` in a transaction. It must be synchronous, so that nothing of this process comes in between.
 *
 * `IMMEDIATE` takes the write lock at once: what `work` reads can't change before it is written.
 */
export function transaction<Result>(
  database: SqliteDatabase,
  kind: 'DEFERRED' | 'IMMEDIATE',
  work: () => Result,
): Result {
  if (database.isTransaction || database.inTransaction) {
    throw new InUse("the database stayed inside a transaction of its owner; don't keep one open across an await")
  }
  database.exec(`BEGIN ${kind}`)
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    rollBack(database)
    throw error
  }
}

function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // After some errors (disk full, I/O) SQLite has rolled back by itself. Why is in the error that led here.
  }
}
