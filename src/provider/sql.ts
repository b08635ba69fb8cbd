/* What the SQL providers share: names that can't be bound as values are checked here before they are put into a statement. */
import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/

/** Names of schemas also have what must be quoted. Two dollar signs would end a string of PostgreSQL's. */
const SCHEMA = /^(?!.*\$.*\$)[A-Za-z_][A-Za-z0-9_$-]{0,62}$/

/** The table's name where the user gives none. ShedLock's is `shedlock`. */
export const DEFAULT_TABLE = 'ticklock'

/**
 * Checks a table's name, alone or with its schema (`jobs.ticklock`), and quotes each part with the dialect's quote.
 *
 * @throws {InvalidOptionError} for anything but letters, digits and underscores, at most 63 each. A schema may also have `-` and a `$`.
 */
export function quoteTable(table: string, quote: '"' | '`'): string {
  const parts = typeof table === 'string' ? table.split('.') : []
  const [name = '', schema = 'public'] = [...parts].reverse()
  if (parts.length > 2 || !IDENTIFIER.test(name) || !SCHEMA.test(schema)) {
    throw new InvalidOptionError(
      `table must be a name of letters, digits and underscores, at most 63 of them, with or without a schema before a dot (which may also have - and a $), but is ${show(table)}`,
    )
  }
  return parts.map((part) => quote + part + quote).join('.')
}
