/*
 * The statements. The entries of a batch come as one parameter, a JSON array; times are microseconds since the epoch on both
 * ways, so neither the session's time zone nor the client's settings for dates take part.
 */
import { quoteTable } from '../../src/provider/sql.ts'
import type { Layout, TextColumn } from './layout.ts'

export interface Statements {
  /** [names] → ordinal from 1, and the columns of {@link recordOf}, all NULL from `kept` on where there is no record. */
  readonly find: string
  /** [name] → the same for one name, if there is a record: no JSON and no join, half of the server's work. */
  readonly findOne: string
  /** → the same for all records, with the name in place of the ordinal. */
  readonly findAll: string
  /** [names] Fails when another transaction has one of these records locked. */
  readonly probe: string
  /** [changes] Makes the records that don't exist yet. */
  readonly insert: string
  /** [changes] Replaces the records that still are what was seen of them, and that nobody has locked. */
  readonly replace: string
  /**
   * [token, holder, released holder, tick, name] → a {@link FenceResult}. Locks the record, in the user's transaction.
   * Texts in hex.
   */
  readonly fence: string
  /** [released holder, microseconds, tick, name] Ends the lease of a record that `fence` has locked. */
  readonly complete: string
  /** [microseconds, milliseconds] → names of the records that are free, and whose last tick is past, for so long. */
  readonly idle: string
  /** [names, microseconds, milliseconds] Deletes those that still are so, and that nobody has locked. */
  readonly remove: string
}

const KEPT_COLUMNS = [
  ['name', 'VARCHAR(1000) CHARACTER SET utf8mb4'],
  ['lock_until', 'BIGINT'],
  ['locked_at', 'BIGINT'],
  ['locked_by', 'VARCHAR(1000) CHARACTER SET utf8mb4'],
  ['fencing_token', 'BIGINT'],
  ['last_tick', 'BIGINT'],
  ['tick_done', 'TINYINT'],
  ['metadata', 'LONGTEXT CHARACTER SET utf8mb4'],
  ['paused', 'TINYINT'],
] as const

/** The position of each field in an entry of `changes`. */
const CHANGE = [...KEPT_COLUMNS, ['was', 'LONGTEXT CHARACTER SET utf8mb4'], ['was_held', 'TINYINT']] as const

const NAMES = `JSON_TABLE(CONVERT(? USING utf8mb4), '$[*]' COLUMNS (
  ord FOR ORDINALITY, name VARCHAR(1000) CHARACTER SET utf8mb4 PATH '$' ERROR ON EMPTY ERROR ON ERROR)) AS asked`

const CHANGES = `JSON_TABLE(CONVERT(? USING utf8mb4), '$[*]' COLUMNS (
  ${CHANGE.map(([name, type], position) => `${name} ${type} PATH '$[${position}]' ERROR ON EMPTY ERROR ON ERROR`).join(', ')})) AS asked`

const time = (column: string): string => `TIMESTAMP'1970-01-01 00:00:00' + INTERVAL ${column} MICROSECOND`
const micros = (time: string): string => `TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', ${time})`
/** Texts come back as digits, which every character set of a connection has. */
const hex = (text: string): string => `HEX(CONVERT(${text} USING utf8mb4))`

const hexOf = (text: string, { charset }: TextColumn): string => (charset === 'utf8mb4' ? `HEX(${text})` : hex(text))

const digits = (number: string): string => `CAST(${number} AS CHAR)`

/** What decides about a record, as text: exact, whatever it is, and whatever the client makes of numbers. */
const decisive = (lockedBy: TextColumn): readonly string[] => [
  digits(micros('kept.lock_until')),
  digits('kept.fencing_token'),
  digits('kept.last_tick'),
  digits('kept.tick_done'),
  digits('kept.paused'),
  hexOf('kept.locked_by', lockedBy),
]

/** As {@link Seen.version} has it. */
const version = ({ lockedBy }: Layout): string =>
  `CONVERT(CONCAT_WS(',', ${decisive(lockedBy).map((text) => `COALESCE(${text}, '')`)}) USING utf8mb4)`

/**
 * The time at which the statement began, how long ago that was when the record had been read (SYSDATE is the time by then, but by the session's
 * time zone), and the record. With short names, or the result's head would repeat each expression.
 */
function recordOf({ lockedBy, metadata }: Layout): string {
  const columns = [
    micros('UTC_TIMESTAMP(6)'),
    'TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6))',
    '@@autocommit',
    'kept.name IS NOT NULL',
    ...decisive(lockedBy),
    digits(micros('kept.locked_at')),
    hexOf('kept.metadata', metadata),
  ]
  return columns.map((column, index) => `${column} AS c${index}`).join(', ')
}

/** A parameter in the character set and collation of the names, or the primary key would not be used. */
function nameParameter({ charset, collation }: TextColumn): string {
  const text = charset === 'utf8mb4' ? 'CONVERT(? USING utf8mb4)' : `CONVERT(CONVERT(? USING utf8mb4) USING ${charset})`
  // A binary collation wins by itself, and MySQL takes 13 µs to be told.
  return collation.endsWith('_bin') ? text : `${text} COLLATE ${collation}`
}

export function statementsFor(table: string, layout: Layout): Statements {
  const { name } = layout
  const record = recordOf(layout)
  const quoted = quoteTable(table, '`')
  // Without the hint a small table is scanned, and a write would lock the rows of all other names with its own.
  const kept = `${quoted} AS kept FORCE INDEX (PRIMARY)`
  // The batch's names in the table's own character set and collation, or the primary key would not be used.
  const sameName = `kept.name = CONVERT(asked.name USING ${name.charset}) COLLATE ${name.collation}`
  const columns = KEPT_COLUMNS.map(([column]) => column)
  /*
   * A record nobody touches is dropped by prune(); one that no ticklock node was ever granted is ShedLock's own, and a JVM
   * that has seen it once never makes it again. One that can't be read is left.
   */
  const idle = `kept.lock_until < UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND
    AND COALESCE(kept.last_tick, 0) < ${micros('UTC_TIMESTAMP(6)')} DIV 1000 - ? AND kept.fencing_token > 0
    AND NOT kept.paused AND kept.tick_done IS NOT NULL`
  /*
   * A write finds its rows in a SELECT that skips those which others have locked, and locks the rest. LIMIT keeps that SELECT a step of its own: merged
   * into the write it would wait. STRAIGHT_JOIN: rows are locked in the order of the batch, by the primary key.
   */
  const unlocked = (what: string, batch: string, where: string): string => `(SELECT ${what}, kept.name AS kept_name
      FROM ${batch} STRAIGHT_JOIN ${kept} ON ${sameName} WHERE ${where}
      LIMIT 18446744073709551615 FOR UPDATE /*!80017 OF kept */ SKIP LOCKED) AS free`
  return {
    find: `SELECT asked.ord, ${record} FROM ${NAMES} LEFT JOIN ${kept} ON ${sameName}`,
    findOne: `SELECT 1, ${record} FROM ${quoted} AS kept WHERE kept.name = ${nameParameter(name)}`,
    findAll: `SELECT ${hex('kept.name')}, ${record} FROM ${kept}`,
    probe: `SELECT 1 FROM ${NAMES} STRAIGHT_JOIN ${kept} ON ${sameName} FOR SHARE OF kept NOWAIT`,
    insert: `INSERT IGNORE INTO ${quoted} (${columns.join(', ')})
      SELECT name, ${time('lock_until')}, ${time('locked_at')}, ${columns.slice(3).join(', ')} FROM ${CHANGES}`,
    /*
     * No assignment reads a column, so their order, which differs between servers, doesn't matter. UTC_TIMESTAMP is the time at which the statement
     * started. That a lock was free is true later too, if its record is unchanged.
     */
    replace: `UPDATE ${unlocked(
      KEPT_COLUMNS.map(([column]) => `asked.${column}`).join(', '),
      CHANGES,
      `${version(layout)} = asked.was COLLATE utf8mb4_bin
      AND (asked.was_held IS NULL OR (kept.lock_until > UTC_TIMESTAMP(6)) = asked.was_held)`,
    )} STRAIGHT_JOIN ${kept} ON kept.name = free.kept_name
      SET kept.lock_until = ${time('free.lock_until')}, kept.locked_at = ${time('free.locked_at')},
        ${columns
          .slice(3)
          .map((column) => `kept.${column} = free.${column}`)
          .join(', ')}`,
    // As decideFence in src/provider/decide.ts.
    fence: `SELECT CASE
        WHEN kept.fencing_token <> ? THEN 'lost'
        WHEN ${hex('kept.locked_by')} = ? THEN 'done'
        WHEN ${hex('kept.locked_by')} <> ? THEN 'lost'
        WHEN COALESCE(kept.last_tick = ?, FALSE) AND NOT kept.tick_done THEN 'done'
        ELSE 'completed'
      END AS result
      FROM ${quoted} AS kept WHERE kept.name = ${nameParameter(name)} FOR UPDATE`,
    // As decideComplete in src/provider/decide.ts.
    complete: `UPDATE ${quoted} AS kept SET kept.locked_by = CONVERT(UNHEX(?) USING utf8mb4),
        kept.lock_until = GREATEST(LEAST(UTC_TIMESTAMP(6), kept.lock_until), kept.locked_at + INTERVAL ? MICROSECOND),
        kept.tick_done = kept.tick_done OR COALESCE(kept.last_tick = ?, FALSE)
      WHERE kept.name = ${nameParameter(name)}`,
    idle: `SELECT ${hex('kept.name')} FROM ${kept} WHERE ${idle}`,
    remove: `DELETE kept FROM ${unlocked('1', NAMES, idle)} STRAIGHT_JOIN ${kept} ON kept.name = free.kept_name`,
  }
}
