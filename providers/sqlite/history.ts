/* Run history in two tables beside the locks, made at the first use. */
import type { HistoryQuery, RecordedEntry, RunHistory } from '../../src/provider/history.ts'
import {
  conditionsOf,
  END_COLUMNS,
  ENTRY_COLUMNS,
  type EntryRow,
  entryValues,
  historyTables,
  NODE_COLUMNS,
  type NodeRow,
  nodeValues,
  toEntry,
  toNode,
} from '../../src/provider/history-sql.ts'
import { DEFAULT_TABLE, quoteTable } from '../../src/provider/sql.ts'
import type { SqliteDatabase, SqliteValue } from './driver.ts'

/** Runs work on the open database, in a transaction that may write or one that only reads. */
export interface Access {
  write<Result>(work: (database: SqliteDatabase) => Result): Promise<Result>
  read<Result>(work: (database: SqliteDatabase) => Result): Promise<Result>
}

const ALL = [...ENTRY_COLUMNS, 'changed_at'].join(', ')

const marks = (count: number): string => Array.from({ length: count }, () => '?').join(', ')

/** Undefined for a table whose name is too long. */
export function sqliteHistory(table: string, access: Access, now: () => number): RunHistory | undefined {
  const tables = historyTables(table)
  if (!tables) return undefined
  const entries = quoteTable(tables.entries, '"')
  const nodes = quoteTable(tables.nodes, '"')
  const made = new WeakSet<SqliteDatabase>()

  const ensure = (database: SqliteDatabase): void => {
    if (made.has(database)) return
    for (const statement of sqliteHistorySetup(table)) database.exec(statement)
    made.add(database)
  }
  const write = <Result>(work: (database: SqliteDatabase) => Result): Promise<Result> =>
    access.write((database) => {
      ensure(database)
      return work(database)
    })
  /** Where nobody has written yet there are no tables, and a reader makes none. */
  const select = <Row>(sql: string, values: SqliteValue[]): Promise<Row[]> =>
    access.read((database) => (exists(database, tables.entries) ? (database.prepare(sql).all(...values) as Row[]) : []))

  const insert = `INSERT INTO ${entries} (${ALL}) VALUES (${marks(ENTRY_COLUMNS.length + 1)})
    ON CONFLICT (id) DO UPDATE SET ${[...END_COLUMNS, 'changed_at'].map((name) => `${name} = excluded.${name}`)}
    WHERE excluded.outcome <> 'running'`
  const insertNode = `INSERT INTO ${nodes} (${NODE_COLUMNS}, seen_at) VALUES (${marks(NODE_COLUMNS.length + 1)})
    ON CONFLICT (label) DO UPDATE SET ${[...NODE_COLUMNS.slice(1), 'seen_at'].map((name) => `${name} = excluded.${name}`)}`

  return {
    write: (batch, node) =>
      write((database) => {
        const changedAt = now()
        const statement = database.prepare(insert)
        for (const entry of batch) statement.run(...entryValues(entry), changedAt)
        if (node) database.prepare(insertNode).run(...nodeValues(node), changedAt)
      }),
    async read(query: HistoryQuery) {
      const conditions = conditionsOf(query)
      const where = conditions.map(({ sql }) => `${sql} ?`).join(' AND ') || 'true'
      const sql = `SELECT ${ALL} FROM ${entries} WHERE ${where} ORDER BY happened_at DESC LIMIT ?`
      return (await select<EntryRow>(sql, [...conditions.map(({ value }) => value), query.limit])).map(toEntry)
    },
    latest: (jobs, count) =>
      access.read((database) => {
        if (!exists(database, tables.entries)) return []
        const statement = database.prepare(
          `SELECT ${ALL} FROM ${entries} WHERE job = ? AND outcome <> 'skipped' ORDER BY happened_at DESC LIMIT ?`,
        )
        return jobs.flatMap((job): RecordedEntry[] => (statement.all(job, count) as EntryRow[]).map(toEntry))
      }),
    async nodes() {
      const rows = await select<NodeRow>(`SELECT * FROM ${nodes}`, [])
      return rows.map(toNode).sort((a, b) => (a.label < b.label ? -1 : 1))
    },
    trim: ({ olderThanMs, most }) =>
      write((database) => {
        const before = now() - olderThanMs
        database.prepare(`DELETE FROM ${nodes} WHERE seen_at < ?`).run(before)
        const old = database.prepare(`DELETE FROM ${entries} WHERE changed_at < ?`).run(before)
        const over = database
          .prepare(
            `DELETE FROM ${entries} WHERE id IN (SELECT id FROM ${entries} ORDER BY changed_at DESC LIMIT -1 OFFSET ?)`,
          )
          .run(most)
        return Number(old.changes) + Number(over.changes)
      }),
    setup: () => write(() => {}),
  }
}

function exists(database: SqliteDatabase, table: string): boolean {
  const [name = '', schema = 'main'] = table.split('.').reverse()
  return database.prepare(`SELECT 1 FROM "${schema}".sqlite_master WHERE type = 'table' AND name = ?`).get(name) != null
}

/** The statements that make the tables of the history. */
export function sqliteHistorySetup(table: string = DEFAULT_TABLE): string[] {
  const tables = historyTables(table)
  if (!tables) return []
  const [name = '', schema] = tables.entries.split('.').reverse()
  const inSchema = schema === undefined ? '' : `"${schema}".`
  const index = (suffix: string, columns: string): string =>
    `CREATE INDEX IF NOT EXISTS ${inSchema}"${name}_${suffix}" ON "${name}" (${columns})`
  return [
    `CREATE TABLE IF NOT EXISTS ${quoteTable(tables.entries, '"')} (
  id TEXT NOT NULL PRIMARY KEY,
  job TEXT NOT NULL,
  node TEXT NOT NULL,
  kind TEXT NOT NULL,
  outcome TEXT NOT NULL,
  scheduled_at INTEGER NOT NULL,
  happened_at INTEGER NOT NULL,
  duration REAL,
  fencing_token INTEGER,
  reason TEXT,
  error TEXT,
  changed_at INTEGER NOT NULL
) STRICT`,
    index('job', 'job, happened_at'),
    index('time', 'happened_at'),
    index('outcome', 'outcome, happened_at'),
    index('changed', 'changed_at'),
    `CREATE TABLE IF NOT EXISTS ${quoteTable(tables.nodes, '"')} (
  label TEXT NOT NULL PRIMARY KEY,
  started_at INTEGER NOT NULL,
  skew INTEGER NOT NULL,
  running INTEGER NOT NULL,
  stopped INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT`,
  ]
}
