/*
 * Which journal a file has, that this provider opened.
 *
 * With WAL a commit costs one sync and readers don't stop writers. But SQLite before 3.51.3 can corrupt a WAL that several
 * processes write (https://www.sqlite.org/wal.html#walresetbug), and the mode is a property of the file, for all who open it:
 *
 *   - a new file gets WAL if this SQLite has the repair;
 *   - an old file keeps what it has: another process with an older SQLite, or an app of the user, may be using it;
 *   - an older SQLite refuses a file that has WAL, at opening and again inside each write.
 */
import { StoreError } from '../../src/errors.ts'
import type { SqliteDatabase } from './driver.ts'

const REPAIRED = [3, 51, 3] as const

/** Whether this version of SQLite may write a WAL together with other processes. */
export function mayShareWal(version: string): boolean {
  const parts = version.split('.').map(Number)
  const first = REPAIRED.findIndex((part, index) => parts[index] !== part)
  return first === -1 || (parts[first] ?? 0) > (REPAIRED[first] ?? 0)
}

/** Sets up journal and durability, and returns the check to be made inside each transaction that writes. */
export function chooseJournal(database: SqliteDatabase, path: string): () => void {
  const version = String(pragma(database, 'SELECT sqlite_version()'))
  const refuseWal = (): void => {
    if (mayShareWal(version) || pragma(database, 'PRAGMA journal_mode') !== 'wal') return
    throw new StoreError(
      `${path} is in WAL mode, and SQLite ${version} in this process can corrupt such a file when several processes write it: use a Node.js with SQLite 3.51.3 or later, or stop all who use the file and run "PRAGMA journal_mode = DELETE" on it`,
    )
  }
  refuseWal()
  if (mayShareWal(version) && pragma(database, 'PRAGMA page_count') === 0) pragma(database, 'PRAGMA journal_mode = WAL')
  // TRUNCATE is synced at its end, so that a power cut can't bring the journal back and undo what was granted.
  if (pragma(database, 'PRAGMA journal_mode') !== 'wal') pragma(database, 'PRAGMA journal_mode = TRUNCATE')
  database.exec('PRAGMA synchronous = FULL')
  return refuseWal
}

const pragma = (database: SqliteDatabase, sql: string): unknown =>
  Object.values(database.prepare(sql).get() as Record<string, unknown>)[0]
