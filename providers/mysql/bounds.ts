/*
 * Bounds that the server enforces, so that no statement waits there for longer than its caller does. They belong to one statement and leave the session as
 * it was: MariaDB reads `SET STATEMENT … FOR` in a comment that MySQL skips, MySQL reads the hints that MariaDB skips.
 */

/** How long a call waits when its caller gives no timeout, in ms: as long as the core does by default (`storeTimeout`). */
export const DEFAULT_TIMEOUT = 5_000

/** How long a write waits for a lock on the whole table (`ALTER TABLE`, `LOCK TABLES`), in seconds: the least that MySQL knows. */
const WRITE_WAIT_S = 1

/**
 * The least that `innodb_lock_wait_timeout` can be in MySQL, in seconds. Only an INSERT waits for a row there, and only a setting of the session
 * bounds it.
 */
export const INSERT_WAIT_S = 1

/** A `SELECT` that runs for `ms` milliseconds at most, waiting for a lock on the table included. */
export function boundedRead(sql: string, ms: number): string {
  const whole = Math.max(1, Math.ceil(ms))
  const hinted = sql.replace('SELECT', `SELECT /*+ MAX_EXECUTION_TIME(${whole}) */`)
  return `/*M!100600 SET STATEMENT max_statement_time=${whole / 1000} FOR */ ${hinted}`
}

/**
 * A write that waits for no row (but see {@link INSERT_WAIT_S}), or for `rowWait` seconds, and for a lock on the table
 * a second. Only MariaDB has a bound for one statement; in MySQL it is a setting of the session.
 */
export function boundedWrite(sql: string, ms: number, hints = '', rowWait = 0): string {
  const verb = sql.slice(0, sql.indexOf(' '))
  const whole = Math.max(1, Math.ceil(ms))
  return `/*M!100600 SET STATEMENT innodb_lock_wait_timeout=${rowWait}, max_statement_time=${whole / 1000}, lock_wait_timeout=${WRITE_WAIT_S} FOR */ ${verb} /*+ SET_VAR(lock_wait_timeout=${WRITE_WAIT_S}) ${hints} */ ${sql.slice(verb.length + 1)}`
}

/** Statements before and after another one, in the same session. */
export interface Around {
  readonly before: string
  readonly after: string
}

/** Changes a setting of the session for one statement, where neither a hint nor `SET STATEMENT` can. */
export const withSetting = (setting: string, value: number): Around => ({
  before: `SET @ticklock_${setting} = @@SESSION.${setting}, SESSION ${setting} = ${value}`,
  after: `SET SESSION ${setting} = @ticklock_${setting}`,
})

/** The longest that a call may take, in ms: Node's timers and MySQL's hints take 31 and 32 bits, and a second is added to them. */
const LONGEST_CALL = 2_000_000_000

/** The time that a call has, 23 days at most. */
export class Deadline {
  readonly #end: number

  constructor(ms: number) {
    this.#end = performance.now() + Math.min(ms, LONGEST_CALL)
  }

  /** In ms; negative when it has passed. */
  left(): number {
    return this.#end - performance.now()
  }
}
