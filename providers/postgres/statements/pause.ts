/* Pauses and resumes, as decidePause in src/provider/decide.ts says. Each answers a row when it changed something. */

/**
 * Pauses a name, also one without a record.
 *
 *   $1 text  name
 */
export const pauseStatement = (table: string): string => `
  INSERT INTO ${table} AS t (name, lock_until, locked_at, locked_by, paused)
  SELECT $1, now, now, '', true FROM (SELECT clock_timestamp() AT TIME ZONE 'UTC' AS now) clock
  ON CONFLICT (name) DO UPDATE SET paused = true WHERE NOT t.paused
  RETURNING name`

/**
 * Resumes a name: its ticks up to now are over.
 *
 *   $1 text  name
 *
 *   locked  The clock is read when the row is locked, and not before it was waited for.
 */
export const resumeStatement = (table: string): string => `
  WITH locked AS MATERIALIZED (
    SELECT name FROM ${table} WHERE name = $1 AND paused FOR NO KEY UPDATE
  ),
  judged AS MATERIALIZED (
    SELECT name, date_trunc('milliseconds', clock_timestamp() AT TIME ZONE 'UTC') AS now FROM locked
  )
  UPDATE ${table} t
  SET paused = false, last_tick = greatest(t.last_tick, now), tick_done = t.tick_done OR t.last_tick IS NULL OR t.last_tick < now
  FROM judged
  WHERE t.name = judged.name
  RETURNING t.name`
