import { InvalidOptionError } from '../../src/errors.ts'
import { DEFAULT_TABLE, quoteTable } from '../../src/provider/sql.ts'
import { bytes, define, type Session, select } from './client.ts'
import { COLUMN_NAMES, type ColumnName, columnsOf } from './layout.ts'

const TEXT = 'CHARACTER SET utf8mb4'

/*
 * Times are DATETIME, in UTC: a TIMESTAMP would be shifted by each session's time zone. Names compare exactly, trailing
 * spaces included, by a collation that has another name on each server: what stands in such a comment is read by one of
 * them only. A tick is ms since the epoch as it was requested, not a DATETIME: it is only ever compared, and so has no
 * range, rounding or zone.
 */
const COLUMNS: Readonly<Record<ColumnName, string>> = {
  name: `VARCHAR(255) ${TEXT} /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100600 COLLATE utf8mb4_nopad_bin */ NOT NULL PRIMARY KEY`,
  lock_until: 'DATETIME(6) NOT NULL',
  locked_at: 'DATETIME(6) NOT NULL',
  locked_by: `VARCHAR(255) ${TEXT} NOT NULL`,
  // From here on with defaults: ShedLock doesn't write them.
  fencing_token: 'BIGINT NOT NULL DEFAULT 0',
  last_tick: 'BIGINT NULL',
  tick_done: 'BOOLEAN NOT NULL DEFAULT FALSE',
  metadata: `TEXT ${TEXT} NULL`,
  paused: 'BOOLEAN NOT NULL DEFAULT FALSE',
}

const definition = (column: ColumnName): string => `${column} ${COLUMNS[column]}`

/**
 * The statement that makes the table, the same for MySQL and MariaDB, to paste into a migration instead of calling `setup()`. Keep
 * the comments within: they hold the collation by which names compare exactly.
 *
 * @throws {InvalidOptionError} for a table's name that has more than letters, digits, underscores and one dot.
 */
export const mysqlSetup = (table: string = DEFAULT_TABLE): string =>
  `CREATE TABLE IF NOT EXISTS ${quoteTable(table, '`')} (\n  ${COLUMN_NAMES.map(definition).join(',\n  ')}\n) ENGINE=InnoDB`

/** Somebody else made the table, or the column, at the same time. */
const MADE_MEANWHILE = new Set<unknown>([1050, 1060])

/**
 * Makes the table, or the columns that a table of ShedLock lacks. Looks first: where all is there it changes nothing, and
 * needs no right to.
 */
export async function setUp(session: Session, table: string): Promise<void> {
  await refuseOtherCase(session, table)
  // Each time round at least one more column is there, made by us or by another.
  for (const _ of COLUMN_NAMES) {
    const present = await columnsOf(session, table)
    const missing = COLUMN_NAMES.filter((column) => !present.has(column))
    if (missing.length === 0) return
    const additions = missing.map((column) => `ADD COLUMN ${definition(column)}`)
    const statement =
      present.size === 0 ? mysqlSetup(table) : `ALTER TABLE ${quoteTable(table, '`')} ${additions.join(', ')}`
    try {
      await define(session, statement)
    } catch (error) {
      if (!MADE_MEANWHILE.has((error as { errno?: unknown }).errno)) throw error
    }
  }
}

const SAME_BUT_FOR_CASE = `SELECT table_name FROM information_schema.tables
  WHERE table_schema = COALESCE(NULLIF(CONVERT(? USING utf8mb4), ''), DATABASE()) AND LOWER(table_name) = LOWER(CONVERT(? USING utf8mb4))
    AND @@lower_case_table_names = 0`

/** `SHEDLOCK` beside `shedlock` would be a second table on most servers, and nodes that use the one would not see the locks in the other. */
async function refuseOtherCase(session: Session, table: string): Promise<void> {
  const [name = '', database = ''] = table.split('.').reverse()
  const rows = await select(session, SAME_BUT_FOR_CASE, [bytes(database), bytes(name)])
  const names = rows.map(([found]) => String(found))
  if (names.length === 0 || names.includes(name)) return
  throw new InvalidOptionError(
    `mysql: table is ${JSON.stringify(table)}, but the database has a table ${JSON.stringify(names[0])}: give its name as it is`,
  )
}
