/*
 * What every statement about locks begins with. It bounds the statement's waits, and finds out whether it runs inside a transaction that
 * somebody else began: what is written there is seen by nobody until that transaction ends, and may be rolled back.
 *
 *   $1 text    the longest that this statement may wait for a lock, ms
 *   $2 text[]  the transactions that earlier attempts of the same call met, or null where the protocol has told that none is open
 *
 * Both settings end with the transaction. When this statement is a transaction of its own, the next one, also behind a pooler in
 * transaction mode, finds nothing of them.
 *
 * `state` is `'inside'` when the transaction has written, when an earlier statement of ours in it has left its mark, or when an
 * earlier attempt met the same transaction. It is `'unclear'` when the transaction began before the statement, which is so in one of somebody
 * else's, and also while the server still parsed the statement. The caller then repeats the call: a statement of its own is in another
 * transaction by then. A pool that lends another session each time is believed after three attempts, unless a transaction
 * is old.
 */

const LATEST_BEGIN = "CASE WHEN cardinality($2::text[]) < 3 THEN interval '0' ELSE interval '10 ms' END"

export const CALL = `
  call AS MATERIALIZED (
    SELECT
      id,
      CASE
        WHEN marked OR written OR id = ANY ($2::text[]) THEN 'inside'
        WHEN began_before AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS met (id) WHERE split_part(met.id, ' ', 1) = pid) THEN 'unclear'
        ELSE 'outside'
      END AS state
    FROM (
      SELECT
        coalesce(current_setting('ticklock.statement', true), '') <> '' AS marked,
        txid_current_if_assigned() IS NOT NULL AS written,
        $2::text[] IS NOT NULL AND statement_timestamp() - transaction_timestamp() > ${LATEST_BEGIN} AS began_before,
        pg_backend_pid()::text AS pid,
        pg_backend_pid() || ' ' || extract(epoch FROM transaction_timestamp()) AS id,
        set_config('ticklock.statement', 'runs', true),
        set_config('lock_timeout', $1, true)
    ) session
  )`

/** The condition under which a statement does anything. Settled before any row is read. */
export const OUTSIDE = `(SELECT state = 'outside' FROM call)`

/** The row that a statement returns instead of its results. */
export interface RefusedCall {
  readonly name: null
  readonly outcome: 'inside' | 'unclear'
  /** The transaction. */
  readonly locked_by: string
}
