/* What the table looks like, looked up once before its first use. */
import { InvalidOptionError, StoreError } from '../../src/errors.ts'
import type { Widths } from './check-lengths.ts'
import type { Statement } from './prepared.ts'

interface TableRow {
  readonly schema: string
  readonly table: string
  /** Whether this is the table that the name means in this session. */
  readonly chosen: boolean
  /** Whether its schema is the one that was named, or on the session's search path. */
  readonly near: boolean
  /** JSON: the type of each column. */
  readonly columns: string
}

/**
 * The tables of locks whose name is this one, also in other case and in other schemas.
 *
 *   $1 text  the table, quoted, with its schema if one was given
 *   $2 text  its name alone
 *   $3 text  the schema that was given, or null
 */
const LAYOUT: Statement = {
  text: `
  SELECT
    n.nspname AS schema, c.relname AS table, coalesce(c.oid = to_regclass($1), false) AS chosen,
    coalesce(n.nspname = $3, n.nspname = ANY (current_schemas(false))) AS near,
    (
      SELECT json_object_agg(attname, format_type(atttypid, atttypmod))::text
      FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    ) AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE lower(c.relname) = lower($2) AND c.relkind IN ('r', 'p', 'v', 'f')
    AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'lock_until' AND NOT attisdropped)
  ORDER BY 1, 2`,
}

/** ShedLock's tables have varchar columns of other widths. What is not of a limited width takes what the holder's text may be. */
const DEFAULT_WIDTH = 255

const TIMES = ['lock_until', 'locked_at', 'last_tick']

export class Layout {
  readonly #table: string
  readonly #quoted: string
  readonly #query: (statement: Statement, values: readonly unknown[]) => Promise<readonly unknown[]>
  #known: Promise<Widths> | undefined
  #warned = false

  constructor(
    table: string,
    quoted: string,
    query: (statement: Statement, values: readonly unknown[]) => Promise<readonly unknown[]>,
  ) {
    this.#table = table
    this.#quoted = quoted
    this.#query = query
  }

  /**
   * How wide the table's columns are. Looked up once, unless there is no table yet.
   *
   * @throws {StoreError} when the table can't keep locks.
   * @throws {InvalidOptionError} when the table's name differs from that of another table by case alone.
   */
  widths(): Promise<Widths> {
    this.#known ??= this.#look().catch((error) => {
      this.#known = undefined
      throw error
    })
    return this.#known
  }

  /** Looks it up once more before the next use: it may have changed. */
  forget(): void {
    this.#known = undefined
  }

  async #look(): Promise<Widths> {
    const [name = '', schema = null] = this.#table.split('.').reverse()
    const tables = (await this.#query(LAYOUT, [this.#quoted, name, schema])) as readonly TableRow[]
    const chosen = tables.find((table) => table.chosen)
    const variant = tables.find((table) => table.near && table.table !== name)
    if (variant) throw this.#differsByCase(variant)
    if (!chosen) {
      this.#known = undefined // The statement itself says that there is none, until it is made.
      return { name: DEFAULT_WIDTH, lockedBy: DEFAULT_WIDTH }
    }
    const columns = JSON.parse(chosen.columns) as Readonly<Record<string, string>>
    this.#checkTimes(columns)
    if (schema === null) this.#warnOfOthers(chosen, tables)
    return { name: widthOf(columns.name), lockedBy: widthOf(columns.locked_by) }
  }

  #differsByCase({ schema, table }: TableRow): InvalidOptionError {
    return new InvalidOptionError(
      `postgres: table is ${JSON.stringify(this.#table)}, but there is the table ${JSON.stringify(`${schema}.${table}`)}, whose name differs by case alone; ` +
        `two tables don't exclude each other's nodes, so give table: ${JSON.stringify(`${schema}.${table}`)}, or drop the other one`,
    )
  }

  #checkTimes(columns: Readonly<Record<string, string>>): void {
    const wrong = TIMES.find((column) => !/^timestamp(\(\d\))? without time zone$/.test(columns[column] ?? TIMESTAMP))
    if (wrong === undefined) return
    throw new StoreError(
      `postgres: ${wrong} of the table ${this.#table} must be of the type timestamp without time zone, but is ${columns[wrong]}: ` +
        `sessions in two time zones would both obtain a lock; change it with: ALTER TABLE ${this.#quoted} ALTER COLUMN ${wrong} TYPE timestamp USING ${wrong} AT TIME ZONE 'UTC'`,
    )
  }

  #warnOfOthers(chosen: TableRow, tables: readonly TableRow[]): void {
    const others = tables.filter((table) => table.table === chosen.table && !table.chosen)
    if (others.length === 0 || this.#warned) return
    this.#warned = true
    const named = `${chosen.schema}.${chosen.table}`
    process.emitWarning(
      `postgres: the table ${chosen.table} is ${named} here, by the search path of this role; the same table exists in ${others.map(({ schema }) => schema).join(', ')}, ` +
        `and nodes that use another one are not excluded. Name the schema on every node: table: '${named}'`,
      { type: 'TicklockWarning', code: 'TICKLOCK_TABLE' },
    )
  }
}

const TIMESTAMP = 'timestamp without time zone'

const widthOf = (type: string | undefined): number => Number(/\((\d+)\)$/.exec(type ?? '')?.[1] ?? DEFAULT_WIDTH)
