/*
 * Extends leases: a batch of different names in one statement, each decided on its own as decide.ts says.
 *
 *   $1 text[]    names
 *   $2 text[]    holders, as locked_by has them
 *   $3 float8[]  lockAtMostFor, ms
 *   $4 float8[]  lockAtLeastFor, ms
 *   $5 float8[]  mayShortenUntil, ms since the epoch, or null
 *
 * Answers a row for each name that was extended.
 *
 *   locked  The records of unexpired leases of ours, locked in the order of their names. Where this waits for another node,
 *           the conditions are checked once more on what that node left.
 *   judged  The clock is read when the lock is held, since a lease may lapse while its lock is waited for.
 */
import { milliseconds } from './milliseconds.ts'

export const extendStatement = (table: string): string => `
  WITH locked AS MATERIALIZED (
    SELECT asked.*
    FROM unnest($1::text[], $2::text[], $3::float8[], $4::float8[], $5::float8[])
      AS asked (name, holder, at_most, at_least, may_shorten_until)
    JOIN ${table} t ON t.name = asked.name
    WHERE t.locked_by = holder AND t.lock_until > clock_timestamp() AT TIME ZONE 'UTC'
    ORDER BY t.name
    FOR NO KEY UPDATE OF t
  ),
  judged AS MATERIALIZED (
    SELECT *, clock_timestamp() AT TIME ZONE 'UTC' AS now FROM locked
  )
  UPDATE ${table} t
  SET lock_until = greatest(
    now + at_most * interval '1 ms',
    t.locked_at + at_least * interval '1 ms',
    CASE WHEN now <= timestamp 'epoch' + may_shorten_until * interval '1 ms' THEN NULL ELSE t.lock_until END
  )
  FROM judged
  WHERE t.name = judged.name AND t.lock_until > now
  RETURNING
    t.name, t.locked_by, ${milliseconds('t.locked_at')} AS locked_at, ${milliseconds('t.lock_until')} AS lock_until,
    t.fencing_token, ${milliseconds('now')} AS store_time`
