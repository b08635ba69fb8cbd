/*
 * Numbers of timestamps: the same whatever the session's time zone and date style are. In floating point, which holds the microseconds of our
 * times; `extract` computes with `numeric` since PostgreSQL 14, which took a tenth of the time of a batch.
 */

/** A timestamp as ms since the epoch, with fractions. */
export const milliseconds = (timestamp: string): string => `date_part('epoch', ${timestamp}) * 1000`

/** The fencing token of a grant: microseconds since the epoch. */
export const token = (timestamp: string): string => `(date_part('epoch', ${timestamp}) * 1000000)::bigint`
