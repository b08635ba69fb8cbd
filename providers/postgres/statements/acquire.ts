/*
 * Takes locks: a batch of different names in one statement, each decided on its own as decide.ts says.
 *
 *   $1, $2        see call.ts
 *   $3 text[]     names
 *   $4 text[]     holders, what locked_by shall be
 *   $5 float8[]   lockAtMostFor, ms
 *   $6 float8[]   ticks, ms since the epoch, or null
 *   $7 float8[]   maxClockSkew, ms
 *   $8 text[]     metadata, or null
 *   $9 boolean[]  whether a crashed tick may run again
 *
 * Returns a row for each name that was decided. A name without a row is busy: another transaction has locked its record, or created or
 * deleted it while the statement ran.
 *
 *   seen     Each request beside its record, as the statement's snapshot has it. What is refused here is refused for good, and
 *            nothing is locked or written for it: most requests in a cluster end here.
 *   locked   The records that look free and that nobody else has locked, as they are now: another node may have got there first.
 *   judged   The same decision once more, on what is there now. The clock is read when the row has been locked.
 *   granted  Writes those that are still free, where they were locked. A version that another node left after the snapshot is not
 *            there for this statement: that name is busy.
 *   created  Writes the first record of a name. Of two that do so at once, the second waits for the first, at most $1, and
 *            then does nothing. In the order of the names, or two batches would deadlock.
 *
 * The clock is clock_timestamp(), which goes on during a statement and a transaction; now() would stand still in both.
 */
import { RELEASED } from '../../../src/provider/holder.ts'
import { CALL, OUTSIDE } from './call.ts'
import { milliseconds, token } from './milliseconds.ts'
import { readable } from './readable.ts'

// As decideAcquire does; `granted` is what it calls granted-before.
const OUTCOME = `
      CASE
        WHEN (lock).name IS NULL THEN CASE WHEN tick > now + max_skew THEN 'clock-ahead' ELSE 'new' END
        WHEN NOT readable THEN 'unreadable'
        WHEN (lock).locked_by = holder AND (lock).lock_until > now THEN 'granted'
        WHEN tick > now + max_skew THEN 'clock-ahead'
        WHEN tick IS NOT NULL AND (lock).paused THEN 'paused'
        WHEN tick <= (lock).last_tick AND NOT (
          tick = (lock).last_tick AND NOT (lock).tick_done AND (lock).lock_until <= now
          AND (rerun OR (lock).locked_by = holder)
        ) THEN 'tick-taken'
        WHEN (lock).lock_until > now OR (lock).locked_by = holder || '${RELEASED}' THEN 'held'
        ELSE 'free'
      END`

export const acquireStatement = (table: string): string => `
  WITH ${CALL},
  seen AS MATERIALIZED (
    SELECT *, ${OUTCOME} AS outcome
    FROM (
      SELECT
        asked.name, holder, at_most * interval '1 ms' AS at_most,
        timestamp 'epoch' + tick * interval '1 ms' AS tick, rerun, max_skew * interval '1 ms' AS max_skew, note,
        t AS lock, ${readable('t')} AS readable, clock_timestamp() AT TIME ZONE 'UTC' AS now
      FROM unnest($3::text[], $4::text[], $5::float8[], $6::float8[], $7::float8[], $8::text[], $9::boolean[])
        AS asked (name, holder, at_most, tick, max_skew, note, rerun)
      LEFT JOIN ${table} t ON t.name = asked.name
      WHERE ${OUTSIDE}
    ) request
  ),
  locked AS MATERIALIZED (
    SELECT
      seen.name, holder, at_most, tick, rerun, max_skew, note, t AS lock, ${readable('t')} AS readable, t.ctid AS place
    FROM seen JOIN ${table} t ON t.name = seen.name
    WHERE outcome = 'free'
    FOR NO KEY UPDATE OF t SKIP LOCKED
  ),
  judged AS MATERIALIZED (
    SELECT *, ${OUTCOME} AS outcome
    FROM (SELECT *, clock_timestamp() AT TIME ZONE 'UTC' AS now FROM locked) request
  ),
  granted AS (
    UPDATE ${table} t
    SET
      lock_until = now + at_most, locked_at = now, locked_by = holder,
      fencing_token = greatest(t.fencing_token + 1, ${token('now')}),
      last_tick = coalesce(tick, t.last_tick), tick_done = tick IS NULL AND t.tick_done, metadata = note
    FROM judged
    WHERE t.ctid = place AND outcome = 'free'
    RETURNING t AS lock, coalesce(tick = (judged.lock).last_tick AND (judged.lock).locked_by <> holder, false) AS again
  ),
  created AS (
    INSERT INTO ${table} AS t (name, lock_until, locked_at, locked_by, fencing_token, last_tick, metadata)
    SELECT name, now + at_most, now, holder, ${token('now')}, tick, note
    FROM (SELECT *, clock_timestamp() AT TIME ZONE 'UTC' AS now FROM (SELECT name, at_most, holder, tick, note FROM seen WHERE outcome = 'new' ORDER BY name) new) new
    ON CONFLICT (name) DO NOTHING
    RETURNING t AS lock
  ),
  result AS MATERIALIZED (
    SELECT (lock).name, 'granted' AS outcome, lock, (lock).locked_at AS now, again FROM granted
    UNION ALL
    SELECT (lock).name, 'granted', lock, (lock).locked_at, false FROM created
    UNION ALL
    SELECT name, outcome, lock, now, NULL FROM judged WHERE outcome <> 'free'
    UNION ALL
    SELECT name, outcome, lock, now, NULL FROM seen WHERE outcome NOT IN ('free', 'new')
  )
  SELECT
    name, outcome, (lock).locked_by, ${milliseconds('(lock).locked_at')} AS locked_at,
    ${milliseconds('(lock).lock_until')} AS lock_until, (lock).fencing_token,
    ${milliseconds('(lock).last_tick')} AS last_tick, (lock).tick_done, (lock).metadata, (lock).paused,
    ${milliseconds('now')} AS store_time, again
  FROM result
  UNION ALL
  SELECT NULL, state, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM call WHERE state <> 'outside'`
