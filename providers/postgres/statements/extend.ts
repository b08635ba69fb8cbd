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
 * Returns a row for each name that was decided: `'over'` for one whose lease isn't ours, or is over. A name without a row is busy.
 *
 *   seen      Each request beside its record, as the statement's snapshot has it.
 *   locked    The records of unexpired leases of ours that nobody else has locked, as they are now.
 *   judged    The same decision once more. The clock is read when the record has been locked.
 *   extended  Written where it was locked: a version that another node left after the snapshot is not there for this statement, and its
 *             name is busy.
 */
import { CALL, OUTSIDE } from './call.ts'
import { milliseconds } from './milliseconds.ts'
import { readable } from './readable.ts'

// As decideExtend does.
const OUTCOME = `
      CASE
        WHEN (lock).name IS NULL THEN 'over'
        WHEN NOT readable THEN 'unreadable'
        WHEN (lock).locked_by = holder AND (lock).lock_until > now THEN 'held'
        ELSE 'over'
      END`

export const extendStatement = (table: string): string => `
  WITH ${CALL},
  seen AS MATERIALIZED (
    SELECT *, ${OUTCOME} AS outcome
    FROM (
      SELECT
        asked.name, holder, at_most * interval '1 ms' AS at_most, at_least * interval '1 ms' AS at_least,
        timestamp 'epoch' + may_shorten_until * interval '1 ms' AS may_shorten_until,
        t AS lock, ${readable('t')} AS readable, clock_timestamp() AT TIME ZONE 'UTC' AS now
      FROM unnest($3::text[], $4::text[], $5::float8[], $6::float8[], $7::float8[])
        AS asked (name, holder, at_most, at_least, may_shorten_until)
      LEFT JOIN ${table} t ON t.name = asked.name
      WHERE ${OUTSIDE}
    ) request
  ),
  locked AS MATERIALIZED (
    SELECT seen.name, holder, at_most, at_least, may_shorten_until, t AS lock, ${readable('t')} AS readable, t.ctid AS place
    FROM seen JOIN ${table} t ON t.name = seen.name
    WHERE outcome = 'held'
    FOR NO KEY UPDATE OF t SKIP LOCKED
  ),
  judged AS MATERIALIZED (
    SELECT *, ${OUTCOME} AS outcome
    FROM (SELECT *, clock_timestamp() AT TIME ZONE 'UTC' AS now FROM locked) request
  ),
  extended AS (
    UPDATE ${table} t
    SET lock_until = greatest(
      now + at_most, t.locked_at + at_least, CASE WHEN now <= may_shorten_until THEN NULL ELSE t.lock_until END
    )
    FROM judged
    WHERE t.ctid = place AND outcome = 'held'
    RETURNING t AS lock, now
  ),
  result AS MATERIALIZED (
    SELECT (lock).name, 'extended' AS outcome, lock, now FROM extended
    UNION ALL
    SELECT name, outcome, lock, now FROM judged WHERE outcome <> 'held'
    UNION ALL
    SELECT name, outcome, lock, now FROM seen WHERE outcome <> 'held'
  )
  SELECT
    name, outcome, (lock).locked_by, ${milliseconds('(lock).locked_at')} AS locked_at,
    ${milliseconds('(lock).lock_until')} AS lock_until, (lock).fencing_token,
    ${milliseconds('(lock).last_tick')} AS last_tick, (lock).tick_done, (lock).metadata, (lock).paused,
    ${milliseconds('now')} AS store_time
  FROM result
  UNION ALL
  SELECT NULL, state, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM call WHERE state <> 'outside'`
