/* What is asked about records, and done to them, whoever holds them. */
import { milliseconds } from './milliseconds.ts'

/** Reads all records. */
export const readAllStatement = (table: string): string => `
  SELECT
    name, locked_by, ${milliseconds('locked_at')} AS locked_at, ${milliseconds('lock_until')} AS lock_until,
    fencing_token, ${milliseconds('last_tick')} AS last_tick, tick_done, metadata, paused,
    ${milliseconds("clock_timestamp() AT TIME ZONE 'UTC'")} AS store_time
  FROM ${table}`

/**
 * Reads the records of some names.
 *
 *   $1 text[]  names
 */
export const readStatement = (table: string): string => `${readAllStatement(table)} WHERE name = ANY ($1::text[])`

/**
 * Frees a lock, whoever has it. Answers a row when somebody had it.
 *
 *   $1 text  name
 */
export const forceReleaseStatement = (table: string): string => `
  WITH locked AS MATERIALIZED (
    SELECT name FROM ${table} WHERE name = $1 AND lock_until > clock_timestamp() AT TIME ZONE 'UTC' FOR NO KEY UPDATE
  ),
  judged AS MATERIALIZED (
    SELECT name, clock_timestamp() AT TIME ZONE 'UTC' AS now FROM locked
  )
  UPDATE ${table} t
  SET lock_until = now
  FROM judged
  WHERE t.name = judged.name AND t.lock_until > now
  RETURNING t.name`

/**
 * Drops records that have been free, and whose last tick has been past, for so long. Answers how many.
 *
 *   $1 float8  the time, ms
 *
 * Rows that another node has locked are skipped: they are in use. So this never waits for a row, and is in no deadlock.
 */
export const pruneStatement = (table: string): string => `
  WITH unused AS MATERIALIZED (
    SELECT name
    FROM ${table}
    WHERE NOT paused
      AND greatest(lock_until, last_tick) < clock_timestamp() AT TIME ZONE 'UTC' - $1::float8 * interval '1 ms'
    FOR UPDATE SKIP LOCKED
  ),
  dropped AS (
    DELETE FROM ${table} t USING unused WHERE t.name = unused.name RETURNING t.name
  )
  SELECT count(*) AS dropped FROM dropped`
