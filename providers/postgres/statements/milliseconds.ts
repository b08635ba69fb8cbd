/** A timestamp as ms since the epoch, with fractions: the same whatever the session's time zone and date style are. */
export const milliseconds = (timestamp: string): string => `(extract(epoch FROM ${timestamp}) * 1000)::float8`
