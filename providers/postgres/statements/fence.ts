/*
 * Statements within a transaction of the user's, for one lock, as decideFence in src/provider/decide.ts decides it. All
 * parameters are texts, so that no client has to know their types:
 *
 *   $1 name, $2 holder as locked_by has it, $3 fencing token, $4 tick in ms or null; to complete: $5 lockAtLeastFor in ms
 *
 * Each returns one row. `inside`: a transaction is open, since the mark of an earlier statement is still there.
 * `latest`: no later grant exists, and the run goes on. `completed`, `known`: what the statement's snapshot says of the
 * record. A takeover that is under way is waited for, and then seen. The lock on the row lasts until the transaction
 * ends, and all who want to take the lock over skip the row.
 */

import { RELEASED } from '../../../src/provider/holder.ts'

/** Leaves a mark that ends with the transaction: outside of one, with this statement. */
export const MARK_STATEMENT = "SELECT set_config('ticklock.transaction', 'open', true)"

const REQUEST = `request AS MATERIALIZED (
    SELECT
      coalesce(current_setting('ticklock.transaction', true), '') <> '' AS inside,
      timestamp 'epoch' + $4::text::float8 * interval '1 ms' AS tick
  )`

const IS_OURS = 't.name = $1::text AND t.fencing_token = $3::text::bigint'
const IS_RELEASED = `t.locked_by = $2::text || '${RELEASED}'`
const IS_LATEST = `inside AND ${IS_OURS}
      AND (t.locked_by = $2::text OR ${IS_RELEASED} AND tick = t.last_tick AND NOT t.tick_done)`

const result = (table: string, latest: string): string => `
  SELECT
    inside,
    EXISTS (SELECT FROM ${latest}) AS latest,
    EXISTS (SELECT FROM ${table} t WHERE ${IS_OURS} AND ${IS_RELEASED}) AS completed,
    EXISTS (SELECT FROM ${table} WHERE name = $1::text) AS known
  FROM request`

export const fenceStatement = (table: string): string => `
  WITH ${REQUEST},
  fenced AS MATERIALIZED (
    SELECT 1 FROM ${table} t, request WHERE ${IS_LATEST} FOR NO KEY UPDATE OF t
  )${result(table, 'fenced')}`

/** As decideComplete in src/provider/decide.ts. */
export const completeStatement = (table: string): string => `
  WITH ${REQUEST},
  completed AS (
    UPDATE ${table} t
    SET
      locked_by = $2::text || '${RELEASED}',
      lock_until = greatest(
        least(clock_timestamp() AT TIME ZONE 'UTC', t.lock_until),
        t.locked_at + $5::text::float8 * interval '1 ms'
      ),
      tick_done = t.tick_done OR coalesce(tick = t.last_tick, false)
    FROM request
    WHERE ${IS_LATEST}
    RETURNING 1
  )${result(table, 'completed')}`
