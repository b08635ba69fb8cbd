/*
 * Releases locks: a batch of different names in one statement, each decided on its own as decide.ts says.
 *
 *   $1, $2       see call.ts
 *   $3 text[]    names
 *   $4 text[]    holders, as locked_by has them
 *   $5 float8[]  lockAtLeastFor, ms
 *   $6 float8[]  ticks to mark as done, ms since the epoch, or null
 *
 * Returns a row for each name that was decided: `'over'` for one whose lease isn't ours, or is over. A name without a row is busy.
 *
 *   seen     Each request beside its record, as the statement's snapshot has it.
 *   locked   The records with something to write, and that nobody else has locked, as they are now.
 *   judged   The same decision once more. The clock is read when the record has been locked.
 *   written  Ends unexpired leases. Of one that is over and that nobody took over, marks the tick as done. Written where it was
 *            locked: a version that another node left after the snapshot is not there for this statement, and its name is busy.
 */
import { RELEASED } from '../../../src/provider/holder.ts'
import { CALL, OUTSIDE } from './call.ts'
import { milliseconds } from './milliseconds.ts'
import { readable } from './readable.ts'

const TICK = "timestamp 'epoch' + tick * interval '1 ms'"

// As decideRelease does. `late`: the lease has expired, and its tick is to be marked. `released-late`: it was released
// without its tick before.
const OUTCOME = `
      CASE
        WHEN (lock).name IS NULL THEN 'over'
        WHEN NOT readable THEN 'unreadable'
        WHEN (lock).locked_by = holder || '${RELEASED}' THEN
          CASE WHEN tick = (lock).last_tick AND NOT (lock).tick_done THEN 'released-late' ELSE 'released' END
        WHEN (lock).locked_by <> holder THEN 'over'
        WHEN (lock).lock_until > now THEN 'held'
        WHEN tick = (lock).last_tick AND NOT (lock).tick_done THEN 'late'
        ELSE 'over'
      END`

const WRITES = "('held', 'late', 'released-late')"

export const releaseStatement = (table: string): string => `
  WITH ${CALL},
  seen AS MATERIALIZED (
    SELECT *, ${OUTCOME} AS outcome
    FROM (
      SELECT asked.name, holder, at_least, ${TICK} AS tick, t AS lock, ${readable('t')} AS readable, clock_timestamp() AT TIME ZONE 'UTC' AS now
      FROM unnest($3::text[], $4::text[], $5::float8[], $6::float8[]) AS asked (name, holder, at_least, tick)
      LEFT JOIN ${table} t ON t.name = asked.name
      WHERE ${OUTSIDE}
    ) request
  ),
  locked AS MATERIALIZED (
    SELECT seen.name, holder, at_least, tick, t AS lock, ${readable('t')} AS readable, t.ctid AS place
    FROM seen JOIN ${table} t ON t.name = seen.name
    WHERE outcome IN ${WRITES}
    FOR NO KEY UPDATE OF t SKIP LOCKED
  ),
  judged AS MATERIALIZED (
    SELECT *, ${OUTCOME} AS outcome
    FROM (SELECT *, clock_timestamp() AT TIME ZONE 'UTC' AS now FROM locked) request
  ),
  written AS (
    UPDATE ${table} t
    SET
      locked_by = CASE outcome WHEN 'held' THEN holder || '${RELEASED}' ELSE t.locked_by END,
      lock_until = CASE outcome WHEN 'held' THEN greatest(now, t.locked_at + at_least * interval '1 ms') ELSE t.lock_until END,
      tick_done = t.tick_done OR coalesce(tick = t.last_tick, false)
    FROM judged
    WHERE t.ctid = place AND outcome IN ${WRITES}
    RETURNING judged.name, outcome
  ),
  result AS (
    SELECT name, CASE outcome WHEN 'late' THEN 'over' ELSE 'released' END AS outcome, NULL::${table} AS lock FROM written
    UNION ALL
    SELECT name, outcome, lock FROM judged WHERE outcome NOT IN ${WRITES}
    UNION ALL
    SELECT name, outcome, lock FROM seen WHERE outcome NOT IN ${WRITES}
  )
  SELECT
    name, outcome, (lock).locked_by, ${milliseconds('(lock).locked_at')} AS locked_at,
    ${milliseconds('(lock).lock_until')} AS lock_until, (lock).fencing_token,
    ${milliseconds('(lock).last_tick')} AS last_tick, (lock).tick_done, (lock).metadata, (lock).paused
  FROM result
  UNION ALL
  SELECT NULL, state, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM call WHERE state <> 'outside'`
