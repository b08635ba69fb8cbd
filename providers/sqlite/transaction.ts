import { setTimeout } from 'node:timers/promises'
import type { SqliteDatabase } from './driver.ts'

/**
 * How long the driver itself waits for another process, in ms. It blocks the event loop meanwhile, so it is enough for a
 * healthy neighbour's transaction and no more; the rest of the waiting is done by {@link patiently}.
 */
export const BUSY_TIMEOUT = 10

/** How long a call waits in all for other processes, in ms, before it fails: less than the core's `storeTimeout`. */
const PATIENCE = 4_000

const LONGEST_PAUSE = 50

/** Thrown instead of starting a transaction inside one that the owner of the database has open. */
class InUse extends Error {}

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

/** Tries again, with short random pauses that leave the event loop free, while other processes are in the way. */
export async function patiently<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const deadline = performance.now() + PATIENCE
  for (let pause = 4; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      return await attempt()
    } catch (error) {
      if (!isBusy(error) || performance.now() + pause > deadline) throw error
    }
    await setTimeout(pause * (0.5 + Math.random() / 2))
  }
}

/** The result codes of SQLite that are asked for; extended ones have more bits above. https://www.sqlite.org/rescode.html */
const CODES = { SQLITE_ERROR: 1, SQLITE_BUSY: 5, SQLITE_LOCKED: 6, SQLITE_PROTOCOL: 15 } as const

/** `node:sqlite` and `@photostructure/sqlite` have the code as number in `errcode`, `better-sqlite3` as name in `code`. */
function hasCode(error: unknown, name: keyof typeof CODES): boolean {
  if (typeof error !== 'object' || error === null) return false
  if ('errcode' in error) return typeof error.errcode === 'number' && (error.errcode & 0xff) === CODES[name]
  return 'code' in error && typeof error.code === 'string' && (error.code === name || error.code.startsWith(`${name}_`))
}

/** Whether another connection was in the way, so that the same may succeed a moment later. */
const isBusy = (error: unknown): boolean =>
  error instanceof InUse ||
  hasCode(error, 'SQLITE_BUSY') ||
  hasCode(error, 'SQLITE_LOCKED') ||
  hasCode(error, 'SQLITE_PROTOCOL')

/** Whether the statement itself was wrong: what a missing table or column gives, among others. */
export const isWrongStatement = (error: unknown): boolean => hasCode(error, 'SQLITE_ERROR')
