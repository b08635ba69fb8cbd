/* What is done with records, whoever holds them. $1 and $2 of those that write: see call.ts. */
import { CALL, OUTSIDE } from './call.ts'
import { milliseconds, token } from './milliseconds.ts'
import { isEnd, isTime, isToken, readable } from './readable.ts'

const NOW = "clock_timestamp() AT TIME ZONE 'UTC'"

/** Reads all records. */
export const readAllStatement = (table: string): string => `
  SELECT
    name, locked_by, ${milliseconds('locked_at')} AS locked_at, ${milliseconds('lock_until')} AS lock_until,
    fencing_token, ${milliseconds('last_tick')} AS last_tick, tick_done, metadata, paused, ${milliseconds(NOW)} AS store_time
  FROM ${table}`

/**
 * Reads the records of some names.
 *
 *   $1 text[]  names
 */
export const readStatement = (table: string): string => `${readAllStatement(table)} WHERE name = ANY ($1::text[])`

/**
 * Puts a record in order: each value that no lock can have, and a last tick too far in the future, is replaced as repairLock in
 * src/provider/record.ts does. Frees it besides, if asked to. Returns a row when it changed something.
 *
 *   $3 text     name
 *   $4 float8   how far ahead of the clock a last tick may be, ms
 *   $5 boolean  whether to free it
 *
 *   locked  Waits for whoever has locked the record, at most $1. Nothing is locked when there is nothing to do.
 *   judged  The clock is read when the record is locked.
 */
export const repairStatement = (table: string): string => {
  const tooFar = (now: string): string => `t.last_tick > ${now} + $4::float8 * interval '1 ms'`
  const needed = (now: string): string =>
    `(NOT ${readable('t')} OR ${tooFar(now)} OR $5::boolean AND t.lock_until > ${now})`
  const keepsTick = `(t.last_tick IS NULL OR ${isTime('t.last_tick')} AND NOT ${tooFar('now')})`
  return `
  WITH ${CALL},
  locked AS MATERIALIZED (
    SELECT name FROM ${table} t WHERE name = $3 AND ${OUTSIDE} AND ${needed(NOW)} FOR NO KEY UPDATE
  ),
  judged AS MATERIALIZED (
    SELECT name, ${NOW} AS now FROM locked
  ),
  repaired AS (
    UPDATE ${table} t
    SET
      lock_until = CASE WHEN NOT $5::boolean AND ${isEnd('t.lock_until')} THEN t.lock_until ELSE now END,
      locked_at = CASE WHEN ${isTime('t.locked_at')} THEN t.locked_at ELSE now END,
      locked_by = coalesce(t.locked_by, ''),
      fencing_token = CASE WHEN ${isToken('t.fencing_token')} THEN t.fencing_token ELSE ${token('now')} END,
      last_tick = CASE WHEN ${keepsTick} THEN t.last_tick ELSE date_trunc('milliseconds', now) END,
      tick_done = CASE WHEN ${keepsTick} THEN coalesce(t.tick_done, false) ELSE true END,
      paused = coalesce(t.paused, false)
    FROM judged
    WHERE t.name = judged.name AND ${needed('now')}
    RETURNING t.name
  )
  SELECT name, 'repaired' AS outcome, NULL AS locked_by FROM repaired
  UNION ALL
  SELECT NULL, state, id FROM call WHERE state <> 'outside'`
}

/**
 * Deletes records that have been free, and whose last tick has been past, for so long. Returns how many.
 *
 *   $1 float8  the time, ms
 *
 * Rows that another transaction has locked are skipped: they are in use. So is what can't be read.
 */
export const pruneStatement = (table: string): string => `
  WITH unused AS MATERIALIZED (
    SELECT name
    FROM ${table} t
    WHERE NOT paused AND ${readable('t')} AND greatest(lock_until, last_tick) < ${NOW} - $1::float8 * interval '1 ms'
    FOR UPDATE SKIP LOCKED
  ),
  dropped AS (
    DELETE FROM ${table} t USING unused WHERE t.name = unused.name RETURNING t.name
  )
  SELECT count(*) AS dropped FROM dropped`
