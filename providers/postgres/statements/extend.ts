/*
 * Extends leases: a batch of different names in one statement, each decided on its own as decide.ts says.
 *
 *   $1, $2       see call.ts
 *   $3 text[]    names
 *   $4 text[]    holders, as locked_by has them
 *   $5 float8[]  lockAtMostFor, ms
 *   $6 float8[]  lockAtLeastFor, ms
 *   $7 float8[]  mayShortenUntil, ms since the epoch, or null
 *
 * Returns a row for each name that was extended, that is busy since another transaction has locked its record, or whose record can't
 * be read. A name without a row has no unexpired lease of ours.
 *
 *   seen    The records of unexpired leases of ours, and those that can't be read.
 *   locked  Those of them that nobody else has locked, as they are now.
 *   judged  The clock is read when the record is locked.
 */
import { CALL, OUTSIDE } from './call.ts'
import { milliseconds } from './milliseconds.ts'
import { readable } from './readable.ts'

export const extendStatement = (table: string): string => `
  WITH ${CALL},
  seen AS MATERIALIZED (
    SELECT asked.*, t AS lock, ${readable('t')} AS readable
    FROM unnest($3::text[], $4::text[], $5::float8[], $6::float8[], $7::float8[])
      AS asked (name, holder, at_most, at_least, may_shorten_until)
    JOIN ${table} t ON t.name = asked.name
    WHERE ${OUTSIDE} AND (
      NOT ${readable('t')} OR t.locked_by = holder AND t.lock_until > clock_timestamp() AT TIME ZONE 'UTC'
    )
  ),
  locked AS MATERIALIZED (
    SELECT seen.*
    FROM seen JOIN ${table} t ON t.name = seen.name
    WHERE readable AND t.locked_by = holder AND ${readable('t')}
    FOR NO KEY UPDATE OF t SKIP LOCKED
  ),
  judged AS MATERIALIZED (
    SELECT *, clock_timestamp() AT TIME ZONE 'UTC' AS now FROM locked
  ),
  extended AS (
    UPDATE ${table} t
    SET lock_until = greatest(
      now + at_most * interval '1 ms',
      t.locked_at + at_least * interval '1 ms',
      CASE WHEN now <= timestamp 'epoch' + may_shorten_until * interval '1 ms' THEN NULL ELSE t.lock_until END
    )
    FROM judged
    WHERE t.name = judged.name AND t.locked_by = holder AND t.lock_until > now
    RETURNING t AS lock, now
  ),
  result AS MATERIALIZED (
    SELECT (lock).name, 'extended' AS outcome, lock, now FROM extended
    UNION ALL
    SELECT name, 'busy', NULL, NULL FROM seen WHERE readable AND name NOT IN (SELECT name FROM locked)
    UNION ALL
    SELECT name, 'unreadable', lock, clock_timestamp() AT TIME ZONE 'UTC' FROM seen WHERE NOT readable
  )
  SELECT
    name, outcome, (lock).locked_by, ${milliseconds('(lock).locked_at')} AS locked_at,
    ${milliseconds('(lock).lock_until')} AS lock_until, (lock).fencing_token,
    ${milliseconds('(lock).last_tick')} AS last_tick, (lock).tick_done, (lock).metadata, (lock).paused,
    ${milliseconds('now')} AS store_time
  FROM result
  UNION ALL
  SELECT NULL, state, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM call WHERE state <> 'outside'`
