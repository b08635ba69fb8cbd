import { ENTRY_COLUMNS, NODE_COLUMNS } from '../provider/history-sql.ts'
import { withoutLists } from './array-literal.ts'
import { has, refuse } from './refuse.ts'
import { answerOf, placeOf, type SqlPlace } from './sql-client.ts'

/** The small part of a client of the package `postgres` that is used here. */
export interface PostgresJs {
  unsafe(query: string, parameters?: never[]): PromiseLike<readonly unknown[]>
  readonly options?: { readonly transform?: { readonly column?: { readonly from?: unknown } } }
}

/** What the columns of the provider's answers are called. */
const COLUMNS = [
  'name',
  'outcome',
  'locked_by',
  'locked_at',
  'lock_until',
  'fencing_token',
  'last_tick',
  'tick_done',
  'metadata',
  'paused',
  'store_time',
  'dropped',
  ...ENTRY_COLUMNS,
  ...NODE_COLUMNS,
  'changed_at',
  'seen_at',
]

/**
 * A client of `postgres` (porsager) 3 for `postgres()` of `ticklock/postgres`. Statements aren't prepared, so a pooler may stand between. A client that
 * renames columns (`transform: postgres.camel`) will do.
 *
 * @example
 * const provider = postgres(fromPostgresJs(sql))
 *
 * @throws {InvalidOptionError} for anything else.
 */
export function fromPostgresJs(sql: PostgresJs): SqlPlace {
  if (!has(sql, 'unsafe', 'begin'))
    refuse('fromPostgresJs', 'a client of the package postgres, not one of its transactions', sql)
  const renamed = sql.options?.transform?.column?.from as ((column: string) => string) | undefined | null
  const names = renamed && new Map(COLUMNS.map((column) => [renamed(column), column]))
  return placeOf(async (text, values) => {
    const rows = await sql.unsafe(text, withoutLists(values) as never[])
    return answerOf(names ? rows.map((row) => rename(row as object, names)) : [...rows])
  })
}

const rename = (row: object, names: ReadonlyMap<string, string>): object =>
  Object.fromEntries(Object.entries(row).map(([column, value]) => [names.get(column) ?? column, value]))
