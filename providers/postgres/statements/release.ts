/*
 * Releases locks: a batch of different names in one statement, each decided on its own as decide.ts says.
 *
 *   $1, $2       see call.ts
 *   $3 text[]    names
 *   $4 text[]    holders, as locked_by has them
 *   $5 float8[]  lockAtLeastFor, ms
 *   $6 float8[]  ticks to mark as done, ms since the epoch, or null
 *
 * Returns a row for each name that is released, by this statement or before by the same holder, that is busy since another
 * transaction has locked its record, or whose record can't be read. A name without a row has no unexpired lease of ours.
 *
 *   seen      The records that name us as their holder, and those that can't be read. An expired lease matters only when its tick is to
 *             be marked.
 *   locked    Those of them that nobody else has locked, as they are now.
 *   judged    The clock is read when the record is locked.
 *   released  Ends unexpired leases. Of an expired one nobody took over, marks the tick as done.
 */
import { CALL, OUTSIDE } from './call.ts'
import { milliseconds } from './milliseconds.ts'
import { readable } from './readable.ts'

const TICK = "timestamp 'epoch' + tick * interval '1 ms'"

export const releaseStatement = (table: string): string => `
  WITH ${CALL},
  seen AS MATERIALIZED (
    SELECT asked.*, t AS lock, ${readable('t')} AS readable, t.locked_by = holder || '#released' AS released
    FROM unnest($3::text[], $4::text[], $5::float8[], $6::float8[]) AS asked (name, holder, at_least, tick)
    JOIN ${table} t ON t.name = asked.name
    WHERE ${OUTSIDE} AND (
      NOT ${readable('t')} OR t.locked_by = holder || '#released'
      OR t.locked_by = holder AND (
        t.lock_until > clock_timestamp() AT TIME ZONE 'UTC' OR NOT t.tick_done AND t.last_tick = ${TICK}
      )
    )
  ),
  locked AS MATERIALIZED (
    SELECT seen.name, holder, at_least, tick, t.locked_by = holder || '#released' AS released
    FROM seen JOIN ${table} t ON t.name = seen.name
    WHERE readable AND NOT released AND ${readable('t')}
    FOR NO KEY UPDATE OF t SKIP LOCKED
  ),
  judged AS MATERIALIZED (
    SELECT *, clock_timestamp() AT TIME ZONE 'UTC' AS now FROM locked
  ),
  released AS (
    UPDATE ${table} t
    SET
      locked_by = CASE WHEN t.lock_until > now THEN holder || '#released' ELSE t.locked_by END,
      lock_until = CASE WHEN t.lock_until > now THEN greatest(now, t.locked_at + at_least * interval '1 ms') ELSE t.lock_until END,
      tick_done = t.tick_done OR coalesce(${TICK} = t.last_tick, false)
    FROM judged
    WHERE t.name = judged.name AND t.locked_by = holder AND (t.lock_until > now OR NOT t.tick_done AND t.last_tick = ${TICK})
    RETURNING t.name, t.locked_by <> holder AS ended
  ),
  result AS (
    SELECT name, 'released' AS outcome, NULL::${table} AS lock FROM released WHERE ended
    UNION ALL
    SELECT name, 'released', NULL FROM seen WHERE readable AND released
    UNION ALL
    SELECT name, 'released', NULL FROM judged WHERE released
    UNION ALL
    SELECT name, 'busy', NULL FROM seen WHERE readable AND NOT released AND name NOT IN (SELECT name FROM locked)
    UNION ALL
    SELECT name, 'unreadable', lock FROM seen WHERE NOT readable
  )
  SELECT
    name, outcome, (lock).locked_by, ${milliseconds('(lock).locked_at')} AS locked_at,
    ${milliseconds('(lock).lock_until')} AS lock_until, (lock).fencing_token,
    ${milliseconds('(lock).last_tick')} AS last_tick, (lock).tick_done, (lock).metadata, (lock).paused
  FROM result
  UNION ALL
  SELECT NULL, state, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM call WHERE state <> 'outside'`
