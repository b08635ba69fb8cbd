/*
 * Statements within a transaction of the user's, for one lock. All parameters are texts, so that no client has to know their types:
 *
 *   $1 name, $2 holder as locked_by has it, $3 fencing token, and to complete: $4 lockAtLeastFor in ms, $5 tick in ms or null
 *
 * Each returns one row. `inside`: a transaction is open, since the mark of an earlier statement is still there. `latest`: no later grant exists. `known`: there is a record. A takeover that is under way is waited for, and then seen. The lock on the row
 * lasts until the transaction ends, and all who want to take the lock over skip the row.
 */

/** Leaves a mark that ends with the transaction: outside of one, with this statement. */
export const MARK_STATEMENT = "SELECT set_config('ticklock.transaction', 'open', true)"

const REQUEST = `request AS MATERIALIZED (
    SELECT coalesce(current_setting('ticklock.transaction', true), '') <> '' AS inside
  )`

const IS_LATEST = `inside AND t.name = $1::text AND t.fencing_token = $3::text::bigint
      AND t.locked_by IN ($2::text, $2::text || '#released')`

const result = (table: string, latest: string): string => `
  SELECT inside, EXISTS (SELECT FROM ${latest}) AS latest, EXISTS (SELECT FROM ${table} WHERE name = $1::text) AS known
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
      locked_by = $2::text || '#released',
      lock_until = greatest(
        least(clock_timestamp() AT TIME ZONE 'UTC', t.lock_until),
        t.locked_at + $4::text::float8 * interval '1 ms'
      ),
      tick_done = t.tick_done OR coalesce(timestamp 'epoch' + $5::text::float8 * interval '1 ms' = t.last_tick, false)
    FROM request
    WHERE ${IS_LATEST}
    RETURNING 1
  )${result(table, 'completed')}`
