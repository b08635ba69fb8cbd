/*
 * Gives locks back: a batch of different names in one statement, each decided on its own as decide.ts says.
 *
 *   $1 text[]    names
 *   $2 text[]    holders, as locked_by has them
 *   $3 float8[]  lockAtLeastFor, ms
 *   $4 float8[]  ticks to mark as done, ms since the epoch, or null
 *
 * Answers a row for each name that is released, by this statement or before by the same holder.
 *
 *   locked  The records of unexpired leases of ours, and of those that we have released: of two duplicates of a release the second
 *           waits for the first, and must then find what that left. Locked in the order of their names.
 *   judged  The clock is read when the lock is held, since a lease may lapse while its lock is waited for.
 */
export const releaseStatement = (table: string): string => `
  WITH locked AS MATERIALIZED (
    SELECT asked.*, t.locked_by = holder AS ours
    FROM unnest($1::text[], $2::text[], $3::float8[], $4::float8[]) AS asked (name, holder, at_least, tick)
    JOIN ${table} t ON t.name = asked.name
    WHERE t.locked_by = holder || '#released'
      OR t.locked_by = holder AND t.lock_until > clock_timestamp() AT TIME ZONE 'UTC'
    ORDER BY t.name
    FOR NO KEY UPDATE OF t
  ),
  judged AS MATERIALIZED (
    SELECT *, clock_timestamp() AT TIME ZONE 'UTC' AS now FROM locked
  ),
  released AS (
    UPDATE ${table} t
    SET
      locked_by = holder || '#released',
      lock_until = greatest(now, t.locked_at + at_least * interval '1 ms'),
      tick_done = t.tick_done OR coalesce(timestamp 'epoch' + tick * interval '1 ms' = t.last_tick, false)
    FROM judged
    WHERE t.name = judged.name AND ours AND t.lock_until > now
    RETURNING t.name
  )
  SELECT name FROM released
  UNION ALL
  SELECT name FROM judged WHERE NOT ours`
