/* Which records a lock can have, as checkLock in src/provider/record.ts says. No statement computes with the values of another one. */

/** Whether a `Date` of JavaScript can hold a timestamp. */
export const isTime = (column: string): string => `${column} > '-infinity' AND ${column} < timestamp '275760-09-13'`

/** A `lock_until` of infinity, which people write to keep a lock taken, counts as a time. */
export const isEnd = (column: string): string => `(${isTime(column)} OR ${column} = 'infinity')`

/** A token after which there is another one that JavaScript can hold. */
export const isToken = (column: string): string => `${column} BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER - 1}`

export const readable = (record: string): string => `(
    ${isEnd(`${record}.lock_until`)} AND ${isTime(`${record}.locked_at`)} AND ${record}.locked_by IS NOT NULL
    AND ${isToken(`${record}.fencing_token`)} AND (${record}.last_tick IS NULL OR ${isTime(`${record}.last_tick`)})
    AND ${record}.tick_done IS NOT NULL AND ${record}.paused IS NOT NULL
  ) IS TRUE`
