import { StoreError } from '../../src/errors.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import { LAST_INSTANT, type RawLock } from '../../src/provider/record.ts'
import { DEFAULT_TABLE, quoteTable } from '../../src/provider/sql.ts'
import type { SqliteDatabase, SqliteStatement } from './driver.ts'
import { isRefusedRecord, isWrongStatement } from './errors.ts'
import { transaction } from './transaction.ts'

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
 * The columns as they are read. A table that is not STRICT can hold anything in any of them, and a driver may refuse a whole result
 * for one integer that no JavaScript number can hold: such a one is read as a string.
 */
const SELECTED = columns.map(
  (column) =>
    `CASE WHEN typeof(${column}) = 'integer' AND ${column} NOT BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER} THEN CAST(${column} AS TEXT) ELSE ${column} END AS ${column}`,
)

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
      get: `SELECT ${SELECTED} FROM ${this.#quoted} WHERE name = ?`,
      // A name that is no text is nobody's.
      all: `SELECT ${SELECTED} FROM ${this.#quoted} WHERE typeof(name) = 'text'`,
      put: `INSERT INTO ${this.#quoted} (${columns}) VALUES (${columns.map(() => '?')}) ON CONFLICT (name) DO UPDATE SET ${updates}`,
      prune: `DELETE FROM ${this.#quoted} WHERE lock_until >= -${LAST_INSTANT} AND lock_until < ? AND coalesce(last_tick, 0) < ? AND paused = 0`,
    }
  }

  get(name: string): RawLock | undefined {
    const row = this.#prepared('get').get(name)
    return row === undefined ? undefined : toRaw(row as Row)
  }

  all(): RawLock[] {
    return this.#prepared('all')
      .all()
      .map((row) => toRaw(row as Row))
  }

  /** @throws {StoreError} when the table refuses this record; the transaction goes on. */
  put(lock: StoredLock): void {
    try {
      this.#write(lock)
    } catch (cause) {
      if (!isRefusedRecord(cause)) throw cause
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new StoreError(
        `the table ${this.#table} refuses the record of lock ${JSON.stringify(lock.name)}: ${why}; compare it with\n${sqliteSetup(this.#table)}`,
        { cause },
      )
    }
  }

  #write(lock: StoredLock): void {
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
    if (missing.length === 0) {
      if (this.#hasUniqueNames()) return error
      return new StoreError(
        `the table ${this.#table} has no primary key: run CREATE UNIQUE INDEX ${this.#table.replace('.', '_')}_name ON ${this.#quoted} (name)`,
        { cause: error },
      )
    }
    const what =
      missing.length === columns.length
        ? `the table ${this.#table} doesn't exist`
        : `the table ${this.#table} lacks the columns ${missing.join(', ')}`
    return new StoreError(
      `${what} in the SQLite database: call provider.setup() once, or run\n${sqliteSetup(this.#table)}`,
      { cause: error },
    )
  }

  #hasUniqueNames(): boolean {
    const [table, schema] = this.#parts()
    const sql = `SELECT 1 FROM pragma_table_info(?1, ?2) WHERE lower(name) = 'name' AND pk = 1
      UNION ALL SELECT 1 FROM pragma_index_list(?1, ?2) AS list JOIN pragma_index_info(list.name, ?2) AS part
      WHERE list."unique" = 1 AND lower(part.name) = 'name'`
    return this.#database.prepare(sql).all(table, schema).length > 0
  }

  #parts(): readonly [table: string, schema: string] {
    const [table, schema = 'main'] = this.#table.split('.').reverse() as [string, string?]
    return [table, schema]
  }

  #missing(): readonly Column[] {
    const [table, schema] = this.#parts()
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

const toRaw = (row: Row): RawLock => ({
  name: row.name,
  lockUntil: row.lock_until,
  lockedAt: row.locked_at,
  lockedBy: row.locked_by,
  fencingToken: row.fencing_token,
  lastTick: row.last_tick,
  tickDone: toBoolean(row.tick_done),
  metadata: row.metadata,
  paused: toBoolean(row.paused),
})

/** SQLite has no booleans. Anything but 0 and 1 stays what it is. */
const toBoolean = (value: unknown): unknown => (value === 0 || value === 1 ? value === 1 : value)
