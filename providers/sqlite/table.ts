import { show } from '../../src/duration.ts'
import { StoreError } from '../../src/errors.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import { DEFAULT_TABLE, quoteTable } from '../../src/provider/sql.ts'
import type { SqliteDatabase, SqliteStatement } from './driver.ts'
import { isWrongStatement, transaction } from './transaction.ts'

/*
 * Times and ticks are whole milliseconds since the epoch, in UTC: what SQLite compares fastest, and what JDBC's usual SQLite
 * driver writes for ShedLock, which has no statements for SQLite of its own.
 */
const COLUMNS = {
  name: 'TEXT NOT NULL PRIMARY KEY',
  lock_until: 'INTEGER NOT NULL',
  locked_at: 'INTEGER NOT NULL',
  locked_by: 'TEXT NOT NULL',
  // From here on with defaults: ShedLock doesn't write them.
  fencing_token: 'INTEGER NOT NULL DEFAULT 0',
  last_tick: 'INTEGER',
  tick_done: 'INTEGER NOT NULL DEFAULT 0',
  metadata: 'TEXT',
  paused: 'INTEGER NOT NULL DEFAULT 0',
} as const

type Column = keyof typeof COLUMNS
type Verb = 'get' | 'all' | 'put' | 'prune'
type Row = Readonly<Record<Column, unknown>>

const columns = Object.keys(COLUMNS) as readonly Column[]

/**
 * The statement that makes the table, to paste into a migration instead of calling `setup()`.
 *
 * @throws {InvalidOptionError} for a table's name that has more than letters, digits, underscores and one dot.
 */
export const sqliteSetup = (table: string = DEFAULT_TABLE): string =>
  `CREATE TABLE IF NOT EXISTS ${quoteTable(table, '"')} (\n${columns.map((column) => `  ${column} ${COLUMNS[column]}`).join(',\n')}\n) STRICT, WITHOUT ROWID`

/** The table of locks in one open database. Its calls are synchronous; the caller puts them into transactions. */
export class LocksTable {
  readonly #database: SqliteDatabase
  readonly #table: string
  readonly #quoted: string
  readonly #sql: Readonly<Record<Verb, string>>
  readonly #statements = new Map<string, SqliteStatement>()

  constructor(database: SqliteDatabase, table: string) {
    this.#database = database
    this.#table = table
    this.#quoted = quoteTable(table, '"')
    const updates = columns.map((column) => `${column} = excluded.${column}`)
    this.#sql = {
      get: `SELECT ${columns} FROM ${this.#quoted} WHERE name = ?`,
      all: `SELECT ${columns} FROM ${this.#quoted}`,
      put: `INSERT INTO ${this.#quoted} (${columns}) VALUES (${columns.map(() => '?')}) ON CONFLICT (name) DO UPDATE SET ${updates}`,
      prune: `DELETE FROM ${this.#quoted} WHERE lock_until < ? AND coalesce(last_tick, 0) < ? AND paused = 0`,
    }
  }

  get(name: string): StoredLock | undefined {
    const row = this.#prepared('get').get(name)
    return row === undefined ? undefined : toLock(row as Row)
  }

  all(): StoredLock[] {
    return this.#prepared('all')
      .all()
      .map((row) => toLock(row as Row))
  }

  put(lock: StoredLock): void {
    this.#prepared('put').run(
      lock.name,
      lock.lockUntil,
      lock.lockedAt,
      lock.lockedBy,
      lock.fencingToken,
      lock.lastTick ?? null,
      lock.tickDone ? 1 : 0,
      lock.metadata ?? null,
      lock.paused ? 1 : 0,
    )
  }

  /** Drops what was free, and whose last tick was past, before this time. */
  prune(before: number): number {
    return Number(this.#prepared('prune').run(before, before).changes)
  }

  /** Makes the table, or the columns that a table of ShedLock lacks. Writes nothing when all is there. */
  ensure(): void {
    if (this.#missing().length === 0) return
    transaction(this.#database, 'IMMEDIATE', () => {
      // Asked again under the write lock: another process may have been faster.
      const missing = this.#missing()
      if (missing.length === columns.length) return this.#database.exec(sqliteSetup(this.#table))
      for (const column of missing) {
        this.#database.exec(`ALTER TABLE ${this.#quoted} ADD COLUMN ${column} ${COLUMNS[column]}`)
      }
    })
  }

  /** What to throw for an error of the driver: one that says what to do when table or columns are missing. */
  explain(error: unknown): unknown {
    if (!isWrongStatement(error)) return error
    const missing = this.#missing()
    if (missing.length === 0) return error
    const what =
      missing.length === columns.length
        ? `the table ${this.#table} doesn't exist`
        : `the table ${this.#table} lacks the columns ${missing.join(', ')}`
    return new StoreError(
      `${what} in the SQLite database: call provider.setup() once, or run\n${sqliteSetup(this.#table)}`,
      { cause: error },
    )
  }

  #missing(): readonly Column[] {
    const [table, schema = 'main'] = this.#table.split('.').reverse() as [string, string?]
    const rows = this.#database.prepare('SELECT name FROM pragma_table_info(?, ?)').all(table, schema)
    const found = new Set(rows.map((row) => String((row as { name: unknown }).name).toLowerCase()))
    return columns.filter((column) => !found.has(column))
  }

  /** Prepared at the first use: the table may not be there before. */
  #prepared(verb: Verb): SqliteStatement {
    const known = this.#statements.get(verb)
    if (known) return known
    const statement = this.#database.prepare(this.#sql[verb])
    this.#statements.set(verb, statement)
    return statement
  }
}

function toLock(row: Row): StoredLock {
  // A value that is no number would compare as false with every time, and a held lock would count as free.
  const number = (column: Column): number => {
    const value = row[column]
    if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
    throw new StoreError(
      `the column ${column} of lock ${show(row.name)} must be a whole number (times are ms since the epoch), but is ${show(value)}`,
    )
  }
  return {
    name: String(row.name),
    lockUntil: number('lock_until'),
    lockedAt: number('locked_at'),
    lockedBy: String(row.locked_by),
    fencingToken: number('fencing_token'),
    lastTick: row.last_tick === null ? undefined : number('last_tick'),
    tickDone: number('tick_done') !== 0,
    metadata: row.metadata === null ? undefined : String(row.metadata),
    paused: number('paused') !== 0,
  }
}
