/*
 * Pauses and resumes, as decidePause in src/provider/decide.ts says. Each returns a row when it changed something.
 *
 *   $1, $2   see call.ts
 *   $3 text  name
 */
import { CALL, OUTSIDE } from './call.ts'

const RESULT = `
  SELECT name, 'changed' AS outcome, NULL AS locked_by FROM changed
  UNION ALL
  SELECT NULL, state, id FROM call WHERE state <> 'outside'`

/** Pauses a name, also one without a record. */
export const pauseStatement = (table: string): string => `
  WITH ${CALL},
  changed AS (
    INSERT INTO ${table} AS t (name, lock_until, locked_at, locked_by, paused)
    SELECT $3, now, now, '', true FROM (SELECT clock_timestamp() AT TIME ZONE 'UTC' AS now) clock WHERE ${OUTSIDE}
    ON CONFLICT (name) DO UPDATE SET paused = true WHERE t.paused IS NOT TRUE
    RETURNING name
  )${RESULT}`

/**
 * Resumes a name: its ticks up to now are over.
 *
 *   locked  The clock is read when the row is locked.
 */
export const resumeStatement = (table: string): string => `
  WITH ${CALL},
  locked AS MATERIALIZED (
    SELECT name FROM ${table} WHERE name = $3 AND paused AND ${OUTSIDE} FOR NO KEY UPDATE
  ),
  judged AS MATERIALIZED (
    SELECT name, date_trunc('milliseconds', clock_timestamp() AT TIME ZONE 'UTC') AS now FROM locked
  ),
  changed AS (
    UPDATE ${table} t
    SET paused = false, last_tick = greatest(t.last_tick, now), tick_done = t.tick_done OR t.last_tick IS NULL OR t.last_tick < now
    FROM judged
    WHERE t.name = judged.name AND t.paused
    RETURNING t.name
  )${RESULT}`
