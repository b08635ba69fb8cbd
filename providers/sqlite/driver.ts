/*
 * The drivers: the small part of their common API that is needed, and how one is found for a file.
 */
import { StoreError } from '../../src/errors.ts'

/** What is bound to a statement. */
export type SqliteValue = string | number | null

/** A prepared statement, as `node:sqlite`, `@photostructure/sqlite` and `better-sqlite3` have it. */
export interface SqliteStatement {
  get(...values: SqliteValue[]): unknown
  all(...values: SqliteValue[]): unknown[]
  run(...values: SqliteValue[]): { readonly changes: number | bigint }
}

/** An open database: a `DatabaseSync` of `node:sqlite` or `@photostructure/sqlite`, or a `Database` of `better-sqlite3`. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): unknown
  /** Whether a transaction is open, as the first two drivers say it (`node:sqlite` from Node.js 22.16). */
  readonly isTransaction?: boolean
  /** The same as `better-sqlite3` says it. */
  readonly inTransaction?: boolean
}

type DatabaseClass = new (path: string) => SqliteDatabase

/**
 * Opens a file with `node:sqlite` where Node.js has it, else with `@photostructure/sqlite`, else with `better-sqlite3`. `prepare` is called
 * before, once there is a driver.
 *
 * @throws {StoreError} when there is none of them, or the file can't be opened.
 */
export async function openDatabase(path: string, prepare = async (): Promise<void> => {}): Promise<SqliteDatabase> {
  const Database = await findDriver()
  try {
    await prepare()
    return new Database(path)
  } catch (cause) {
    throw new StoreError(
      `the SQLite file ${path} can't be opened: check that it is a file, that its folder exists, and that the user of this process may write to both`,
      { cause },
    )
  }
}

async function findDriver(): Promise<DatabaseClass> {
  // Undefined before Node.js 22.13, where it is missing or needs a flag.
  const builtIn = process.getBuiltinModule('node:sqlite') as { DatabaseSync: DatabaseClass } | undefined
  if (builtIn) return builtIn.DatabaseSync
  try {
    const { DatabaseSync } = await import('@photostructure/sqlite')
    return DatabaseSync
  } catch (cause) {
    return (
      (await betterSqlite3()) ??
      Promise.reject(
        new StoreError(
          `Node.js ${process.versions.node} has no SQLite of its own and none can be loaded: run "npm install @photostructure/sqlite", or use Node.js 22.13 or later`,
          { cause },
        ),
      )
    )
  }
}

async function betterSqlite3(): Promise<DatabaseClass | undefined> {
  // In a variable, so that neither the compiler nor a bundler looks for a package that most users don't have.
  const name: string = 'better-sqlite3'
  try {
    const { default: Database } = (await import(name)) as { default: DatabaseClass }
    return Database
  } catch {
    return undefined
  }
}
