/* Run history in two tables beside the locks. Texts travel as in statements.ts: a batch as one JSON parameter, answers in hexadecimal digits. */
import type { RunHistory } from '../../src/provider/history.ts'
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
import { bytes, change, define, type Session, type Source, select, WAITING } from './client.ts'
import type { Parameter } from './driver.ts'
import { unhex } from './stored-record.ts'

const TEXT = 'CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'

const ENTRY_TYPES: Readonly<Record<(typeof ENTRY_COLUMNS)[number], string>> = {
  id: `VARCHAR(64) ${TEXT} NOT NULL PRIMARY KEY`,
  job: `VARCHAR(255) ${TEXT} NOT NULL`,
  node: `VARCHAR(255) ${TEXT} NOT NULL`,
  kind: `VARCHAR(20) ${TEXT} NOT NULL`,
  outcome: `VARCHAR(20) ${TEXT} NOT NULL`,
  scheduled_at: 'BIGINT NOT NULL',
  happened_at: 'BIGINT NOT NULL',
  duration: 'DOUBLE NULL',
  fencing_token: 'BIGINT NULL',
  reason: `VARCHAR(255) ${TEXT} NULL`,
  error: `TEXT ${TEXT} NULL`,
}

const NODE_TYPES: Readonly<Record<(typeof NODE_COLUMNS)[number], string>> = {
  label: `VARCHAR(255) ${TEXT} NOT NULL PRIMARY KEY`,
  started_at: 'BIGINT NOT NULL',
  skew: 'BIGINT NOT NULL',
  running: 'INT NOT NULL',
  stopped: 'SMALLINT NOT NULL',
}

/** The server's clock in ms since the epoch. */
const NOW = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(6)) DIV 1000"

const batchOf = (types: Readonly<Record<string, string>>): string => {
  const columns = Object.entries(types).map(([name, type], position) => {
    const bare = type.replace(/ COLLATE \w+| PRIMARY KEY| NOT NULL| NULL/g, '').replace(/^TEXT/, 'LONGTEXT')
    return `${name} ${bare} PATH '$[${position}]'`
  })
  return `JSON_TABLE(CONVERT(? USING utf8mb4), '$[*]' COLUMNS (${columns.join(', ')})) AS asked`
}

/** Reads columns, texts as digits; and how a row of the answer becomes one with names. */
function reading(types: Readonly<Record<string, string>>, last: string) {
  const names = [...Object.keys(types), last]
  const isText = names.map((name) => types[name]?.includes('utf8mb4') ?? false)
  const sql = names.map((name, index) => (isText[index] ? `HEX(${name}) AS ${name}` : name)).join(', ')
  const toRow = (values: readonly unknown[]): object =>
    Object.fromEntries(
      names.map((name, index) => [
        name,
        isText[index] && values[index] !== null ? unhex(values[index]) : values[index],
      ]),
    )
  return { sql, toRow }
}

const ENTRY = reading(ENTRY_TYPES, 'changed_at')
const NODE = reading(NODE_TYPES, 'seen_at')

const bound = (value: string | number): Parameter => (typeof value === 'number' ? value : bytes(value))
/** The collation of the columns, by which the indexes are ordered. */
const TEXT_VALUE = 'CONVERT(? USING utf8mb4) COLLATE utf8mb4_bin'

/** Undefined for a table whose name is too long. */
export function mysqlHistory(table: string, source: Source): RunHistory | undefined {
  const tables = historyTables(table)
  if (!tables) return undefined
  const entries = quoteTable(tables.entries, '`')
  const nodes = quoteTable(tables.nodes, '`')
  const read = async (sql: string, values: Parameter[] = []): Promise<EntryRow[]> =>
    (await select(await source.connect(), sql, values)).map((row) => ENTRY.toRow(row) as EntryRow)

  return {
    async write(batch, node) {
      const session = await source.connect()
      if (batch.length > 0) await writeEntries(session, entries, JSON.stringify(batch.map(entryValues)))
      if (!node) return
      const values = bytes(JSON.stringify([nodeValues(node)]))
      await change(
        session,
        `REPLACE INTO ${nodes} (${NODE_COLUMNS}, seen_at) SELECT ${NODE_COLUMNS.map((name) => `asked.${name}`)}, ${NOW} FROM ${batchOf(NODE_TYPES)}`,
        [values],
        WAITING,
      )
    },
    async read(query) {
      const conditions = conditionsOf(query)
      const where = conditions.map(({ sql, value }) => `${sql} ${typeof value === 'string' ? TEXT_VALUE : '?'}`)
      const values = [...conditions.map(({ value }) => bound(value)), query.limit]
      const sql = `SELECT ${ENTRY.sql} FROM ${entries} WHERE ${where.join(' AND ') || 'TRUE'} ORDER BY happened_at DESC LIMIT ?`
      return (await read(sql, values)).map(toEntry)
    },
    async latest(jobs, count) {
      if (jobs.length === 0) return []
      // One look into the index for each job: MariaDB has no LATERAL, and a window function would read all that they ever ran.
      const one = `(SELECT ${ENTRY.sql} FROM ${entries} WHERE job = ${TEXT_VALUE} AND outcome <> 'skipped' ORDER BY happened_at DESC LIMIT ?)`
      const values = jobs.flatMap((job) => [bytes(job), count])
      return (await read(jobs.map(() => one).join(' UNION ALL '), values)).map(toEntry)
    },
    async nodes() {
      const rows = await select(await source.connect(), `SELECT ${NODE.sql} FROM ${nodes}`)
      return rows.map((row) => toNode(NODE.toRow(row) as NodeRow)).sort((a, b) => (a.label < b.label ? -1 : 1))
    },
    async trim({ olderThanMs, most }) {
      const session = await source.connect()
      await change(session, `DELETE FROM ${nodes} WHERE seen_at < ${NOW} - ?`, [olderThanMs], WAITING)
      const old = await change(session, `DELETE FROM ${entries} WHERE changed_at < ${NOW} - ?`, [olderThanMs], WAITING)
      const [over] = await select(
        session,
        `SELECT changed_at FROM ${entries} ORDER BY changed_at DESC LIMIT 1 OFFSET ?`,
        [most],
      )
      if (!over) return old
      return old + (await change(session, `DELETE FROM ${entries} WHERE changed_at <= ?`, [Number(over[0])], WAITING))
    },
    async setup() {
      const session = await source.connect()
      // Looked for first: where all is there it needs no right to make anything.
      const [name = '', database = ''] = tables.entries.split('.').reverse()
      const found = await select(session, EXISTS, [
        bytes(database),
        bytes(name),
        bytes(tables.nodes.split('.').at(-1) ?? ''),
      ])
      if (found.length < 2) for (const statement of mysqlHistorySetup(table)) await define(session, statement)
    },
  }
}

const EXISTS = `SELECT table_name FROM information_schema.tables
  WHERE table_schema = COALESCE(NULLIF(CONVERT(? USING utf8mb4), ''), DATABASE())
    AND table_name IN (CONVERT(? USING utf8mb4), CONVERT(? USING utf8mb4))`

async function writeEntries(session: Session, entries: string, json: string): Promise<void> {
  const batch = batchOf(ENTRY_TYPES)
  const columns = ENTRY_COLUMNS.map((name) => `asked.${name}`)
  await change(
    session,
    `INSERT IGNORE INTO ${entries} (${ENTRY_COLUMNS}, changed_at) SELECT ${columns}, ${NOW} FROM ${batch}`,
    [bytes(json)],
    WAITING,
  )
  // What was there is a run that has ended meanwhile.
  const ends = END_COLUMNS.map((name) => `kept.${name} = asked.${name}`)
  await change(
    session,
    `UPDATE ${batch} STRAIGHT_JOIN ${entries} AS kept ON kept.id = CONVERT(asked.id USING utf8mb4) COLLATE utf8mb4_bin
      SET ${ends}, kept.changed_at = ${NOW} WHERE asked.outcome <> 'running' AND kept.outcome = 'running'`,
    [bytes(json)],
    WAITING,
  )
}

/**
 * The statements that make the tables of the run history, to paste into a migration instead of calling `history.setup()`.
 *
 * @throws {InvalidOptionError} for a name of anything but letters, digits, underscores and one dot, at most 55.
 */
export function mysqlHistorySetup(table: string = DEFAULT_TABLE): string[] {
  const tables = historyTables(table) ?? { entries: `${table}_history`, nodes: `${table}_nodes` }
  const columns = (types: Readonly<Record<string, string>>, last: string, indexes: readonly string[] = []): string =>
    [...Object.entries(types).map(([name, type]) => `${name} ${type}`), `${last} BIGINT NOT NULL`, ...indexes]
      .map((line) => `\n  ${line}`)
      .join(',')
  const indexes = [
    'INDEX (job, happened_at)',
    'INDEX (happened_at)',
    'INDEX (outcome, happened_at)',
    'INDEX (changed_at)',
  ]
  return [
    `CREATE TABLE IF NOT EXISTS ${quoteTable(tables.entries, '`')} (${columns(ENTRY_TYPES, 'changed_at', indexes)}\n) ENGINE=InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${quoteTable(tables.nodes, '`')} (${columns(NODE_TYPES, 'seen_at')}\n) ENGINE=InnoDB`,
  ]
}
