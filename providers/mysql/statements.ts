/*
 * The statements. The entries of a batch come as one parameter, a JSON array; times are microseconds since the epoch on both
 * ways, so neither the session's time zone nor the client's settings for dates take part.
 */
import { quoteTable } from '../../src/provider/sql.ts'
import type { Layout, TextColumn } from './layout.ts'

export interface Statements {
  /** [names] → ordinal from 1, the server's clock, autocommit, and the record's columns, all NULL where there is none. */
  readonly facts: string
  /** [name] → the same for one name, if there is a record: no JSON and no join, a third of the server's work. */
  readonly factsOfOne: string
  /** → the same for all records, with the name in place of the ordinal. */
  readonly all: string
  /** [changes] Makes the records that don't exist yet. */
  readonly insert: string
  /** [changes] Replaces the records that still are what was seen of them. */
  readonly swap: string
  /** [microseconds, microseconds] → names of the records that are free, and whose last tick is past, for so long. */
  readonly idle: string
  /** [names, microseconds, microseconds] Deletes those that still are so. */
  readonly remove: string
}

/** The position of each field in an entry of `changes`. */
const CHANGE = [
  ['name', 'VARCHAR(1000) CHARACTER SET utf8mb4'],
  ['lock_until', 'BIGINT'],
  ['locked_at', 'BIGINT'],
  ['locked_by', 'VARCHAR(1000) CHARACTER SET utf8mb4'],
  ['fencing_token', 'BIGINT'],
  ['last_tick', 'BIGINT'],
  ['tick_done', 'TINYINT'],
  ['metadata', 'LONGTEXT CHARACTER SET utf8mb4'],
  ['paused', 'TINYINT'],
  ['was_until', 'BIGINT'],
  ['was_token', 'BIGINT'],
  ['was_by', 'VARCHAR(1000) CHARACTER SET utf8mb4'],
  ['was_held', 'TINYINT'],
  ['was_paused', 'TINYINT'],
] as const

const NAMES = `JSON_TABLE(CONVERT(? USING utf8mb4), '$[*]' COLUMNS (
  ord FOR ORDINALITY, name VARCHAR(1000) CHARACTER SET utf8mb4 PATH '$' ERROR ON EMPTY ERROR ON ERROR)) AS asked`

const CHANGES = `JSON_TABLE(CONVERT(? USING utf8mb4), '$[*]' COLUMNS (
  ${CHANGE.map(([name, type], position) => `${name} ${type} PATH '$[${position}]' ERROR ON EMPTY ERROR ON ERROR`).join(', ')})) AS asked`

const time = (column: string): string => `TIMESTAMP'1970-01-01 00:00:00' + INTERVAL ${column} MICROSECOND`
const micros = (time: string): string => `TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', ${time})`
/** Texts come back as digits, which every character set of a connection has. */
const hex = (text: string): string => `HEX(CONVERT(${text} USING utf8mb4))`

const hexOf = (text: string, { charset }: TextColumn): string => (charset === 'utf8mb4' ? `HEX(${text})` : hex(text))

/** With short names, or the answer's head would repeat each expression. */
function recordOf({ lockedBy, metadata }: Layout): string {
  return `${micros('UTC_TIMESTAMP(6)')} AS a, @@autocommit AS b, ${micros('kept.lock_until')} AS c, ${micros('kept.locked_at')} AS d,
    ${hexOf('kept.locked_by', lockedBy)} AS e, kept.fencing_token, kept.last_tick, kept.tick_done, ${hexOf('kept.metadata', metadata)} AS f, kept.paused`
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
  // Without the hint a small table is scanned, and a write would lock the rows of all other names with its own.
  const kept = `${quoteTable(table, '`')} AS kept FORCE INDEX (PRIMARY)`
  // The batch's names in the table's own character set and collation, or the primary key would not be used.
  const sameName = `kept.name = CONVERT(asked.name USING ${name.charset}) COLLATE ${name.collation}`
  const columns = 'name, lock_until, locked_at, locked_by, fencing_token, last_tick, tick_done, metadata, paused'
  /*
   * A record nobody touches is dropped by prune(); one that no ticklock node was ever granted is ShedLock's own, and a JVM
   * that has seen it once never makes it again.
   */
  const idle = `kept.lock_until < UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND
    AND COALESCE(kept.last_tick, 0) * 1000 < ${micros('UTC_TIMESTAMP(6)')} - ? AND kept.fencing_token > 0
    AND NOT kept.paused`
  return {
    facts: `SELECT asked.ord, ${record} FROM ${NAMES} LEFT JOIN ${kept} ON ${sameName}`,
    factsOfOne: `SELECT 1, ${record} FROM ${quoteTable(table, '`')} AS kept WHERE kept.name = ${nameParameter(name)}`,
    all: `SELECT ${hex('kept.name')}, ${record} FROM ${kept}`,
    insert: `INSERT IGNORE INTO ${quoteTable(table, '`')} (${columns})
      SELECT name, ${time('lock_until')}, ${time('locked_at')}, locked_by, fencing_token, last_tick, tick_done, metadata, paused FROM ${CHANGES}`,
    /*
     * STRAIGHT_JOIN: rows are locked in the order of the batch, which is by name, so two batches can't wait for each other.
     * No assignment reads a column, so their order, which differs between servers, doesn't matter.
     *
     * UTC_TIMESTAMP is the time at which the statement started, even when it then waited for a row. That a lock was free is true
     * later too, if its record is unchanged. That a lease was unexpired may be over: but it is extended or released only if the
     * record still is its own, so nobody had the lock in between, and it is as if the statement had not waited.
     */
    swap: `UPDATE ${CHANGES} STRAIGHT_JOIN ${kept} ON ${sameName}
      SET kept.lock_until = ${time('asked.lock_until')}, kept.locked_at = ${time('asked.locked_at')}, kept.locked_by = asked.locked_by,
        kept.fencing_token = asked.fencing_token, kept.last_tick = asked.last_tick, kept.tick_done = asked.tick_done, kept.metadata = asked.metadata,
        kept.paused = asked.paused
      WHERE ${micros('kept.lock_until')} = asked.was_until AND kept.fencing_token = asked.was_token
        AND ${hex('kept.locked_by')} = HEX(asked.was_by) AND (kept.lock_until > UTC_TIMESTAMP(6)) = asked.was_held
        AND kept.paused = asked.was_paused`,
    idle: `SELECT ${hex('kept.name')} FROM ${kept} WHERE ${idle}`,
    remove: `DELETE kept FROM ${NAMES} STRAIGHT_JOIN ${kept} ON ${sameName} WHERE ${idle}`,
  }
}
