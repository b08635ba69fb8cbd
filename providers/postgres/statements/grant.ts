/*
 * Grants the locks of a batch that have a record and are free, and says nothing of the others (nor of the rerun of a tick): those are asked
 * for by acquireStatement, which costs the server twice as much. For a node that was granted most of its last batch.
 *
 * Takes what acquireStatement takes, but for $7. Answers a row for each name that was granted.
 *
 *   locked   The records that are free, as decideAcquire says, locked in the order of their names, or two batches would deadlock. Where
 *            this waits for another node, the conditions are checked once more on what that node left. Nothing else is locked or written.
 *   judged   The clock is read when the lock is held, or a new lease would be shorter than asked for. What was free by an earlier
 *            reading still is.
 *
 * The row is written where it was locked, without being looked up by its name once more. A version that another node left while this waited
 * is not there for this statement, so its name is asked for again.
 */
import { milliseconds, token } from './milliseconds.ts'

const NOW = "clock_timestamp() AT TIME ZONE 'UTC'"

export const grantStatement = (table: string): string => `
  WITH locked AS MATERIALIZED (
    SELECT request.*, t.ctid AS place
    FROM (
      SELECT
        name, holder, at_most * interval '1 ms' AS at_most, timestamp 'epoch' + tick * interval '1 ms' AS tick,
        max_skew * interval '1 ms' AS max_skew, note
      FROM unnest($1::text[], $2::text[], $3::float8[], $4::float8[], $5::float8[], $6::text[])
        AS asked (name, holder, at_most, tick, max_skew, note)
    ) request
    JOIN ${table} t ON t.name = request.name
    WHERE t.lock_until <= ${NOW} AND t.locked_by <> holder || '#released' AND (
      tick IS NULL
      OR tick <= ${NOW} + max_skew AND NOT t.paused AND (t.last_tick IS NULL OR tick > t.last_tick)
    )
    ORDER BY t.name
    FOR NO KEY UPDATE OF t
  ),
  judged AS MATERIALIZED (
    SELECT *, ${NOW} AS now FROM locked
  )
  UPDATE ${table} t
  SET
    lock_until = now + at_most, locked_at = now, locked_by = holder, fencing_token = greatest(t.fencing_token + 1, ${token('now')}),
    last_tick = coalesce(tick, t.last_tick), tick_done = tick IS NULL AND t.tick_done, metadata = note
  FROM judged
  WHERE t.ctid = place
  RETURNING
    t.name, ${milliseconds('t.locked_at')} AS locked_at, ${milliseconds('t.lock_until')} AS lock_until, t.fencing_token`
