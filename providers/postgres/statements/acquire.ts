/*
 * Takes locks: a batch of different names in one statement, each decided on its own as decide.ts says.
 *
 *   $1 text[]     names
 *   $2 text[]     holders, what locked_by shall be
 *   $3 float8[]   lockAtMostFor, ms
 *   $4 float8[]   ticks, ms since the epoch, or null
 *   $5 float8[]   maxClockSkew, ms
 *   $6 text[]     metadata, or null
 *   $7 boolean[]  whether a crashed tick may run again
 *
 * Answers a row for each name that was settled. A name without a row was created, or deleted, by somebody else while the
 * statement ran: ask for it again.
 *
 *   seen     Each request beside its record, as the statement's snapshot has it. What is refused here is refused for good, and
 *            nothing is locked or written for it: most asks in a cluster end here.
 *   locked   The records that look free, locked in the order of their names, or two batches would deadlock. Another node
 *            may have got there first: then this waits for it, and `fresh` is the record as that node left it.
 *   judged   The same decision once more, on what is there now. The clock is read here and not in `locked`, where it would be
 *            read before the lock is waited for: a lease that lapsed in the meantime would be taken for an unexpired one, and
 *            a new one would be shorter than asked for.
 *   granted  Writes those that are still free. Nobody else can have changed them: they are locked.
 *   created  Writes the first record of a name. Of two that do so at once, the second waits for the first and then does nothing.
 *
 * The clock is clock_timestamp(), which goes on during a statement and a transaction; now() would stand still in both.
 */
import { milliseconds, token } from './milliseconds.ts'

// As decideAcquire does; `granted` is what it calls granted-before. A lock without a record is null in every column, and null is not true.
const OUTCOME = `
      CASE
        WHEN (lock).locked_by = holder AND (lock).lock_until > now THEN 'granted'
        WHEN tick > now + max_skew THEN 'clock-ahead'
        WHEN tick IS NOT NULL AND (lock).paused THEN 'paused'
        WHEN tick <= (lock).last_tick AND NOT (
          tick = (lock).last_tick AND NOT (lock).tick_done AND (lock).lock_until <= now
          AND (rerun OR (lock).locked_by = holder)
        ) THEN 'tick-taken'
        WHEN (lock).lock_until > now OR (lock).locked_by = holder || '#released' THEN 'held'
        ELSE 'free'
      END`

export const acquireStatement = (table: string): string => `
  WITH seen AS MATERIALIZED (
    SELECT *, ${OUTCOME} AS outcome
    FROM (
      SELECT
        asked.name, holder, at_most * interval '1 ms' AS at_most,
        timestamp 'epoch' + tick * interval '1 ms' AS tick, rerun, max_skew * interval '1 ms' AS max_skew, note,
        t AS lock, clock_timestamp() AT TIME ZONE 'UTC' AS now
      FROM unnest($1::text[], $2::text[], $3::float8[], $4::float8[], $5::float8[], $6::text[], $7::boolean[])
        AS asked (name, holder, at_most, tick, max_skew, note, rerun)
      LEFT JOIN ${table} t ON t.name = asked.name
    ) request
  ),
  locked AS MATERIALIZED (
    SELECT seen.*, t AS fresh
    FROM seen JOIN ${table} t ON t.name = seen.name
    WHERE outcome = 'free'
    ORDER BY t.name
    FOR NO KEY UPDATE OF t
  ),
  judged AS MATERIALIZED (
    SELECT *, ${OUTCOME} AS outcome
    FROM (
      SELECT
        name, holder, at_most, tick, rerun, max_skew, note,
        fresh AS lock, clock_timestamp() AT TIME ZONE 'UTC' AS now
      FROM locked
    ) request
  ),
  granted AS (
    UPDATE ${table} t
    SET
      lock_until = now + at_most, locked_at = now, locked_by = holder,
      fencing_token = greatest(t.fencing_token + 1, ${token('now')}),
      last_tick = coalesce(tick, t.last_tick), tick_done = tick IS NULL AND t.tick_done, metadata = note
    FROM judged
    WHERE t.name = judged.name AND outcome = 'free'
    RETURNING t AS lock
  ),
  created AS (
    INSERT INTO ${table} AS t (name, lock_until, locked_at, locked_by, fencing_token, last_tick, metadata)
    SELECT name, now + at_most, now, holder, ${token('now')}, tick, note
    FROM seen
    WHERE lock IS NULL AND outcome = 'free'
    ORDER BY name
    ON CONFLICT (name) DO NOTHING
    RETURNING t AS lock
  ),
  answer AS MATERIALIZED (
    SELECT (lock).name, 'granted' AS outcome, lock, (lock).locked_at AS now FROM granted
    UNION ALL
    SELECT (lock).name, 'granted', lock, (lock).locked_at FROM created
    UNION ALL
    SELECT name, outcome, lock, now FROM judged WHERE outcome <> 'free'
    UNION ALL
    SELECT name, outcome, lock, now FROM seen WHERE outcome <> 'free'
  )
  SELECT
    name, outcome, (lock).locked_by, ${milliseconds('(lock).locked_at')} AS locked_at,
    ${milliseconds('(lock).lock_until')} AS lock_until, (lock).fencing_token,
    ${milliseconds('(lock).last_tick')} AS last_tick, (lock).tick_done, (lock).metadata, (lock).paused,
    ${milliseconds('now')} AS store_time
  FROM answer`
