import { has, refuse, refuseTransaction } from './refuse.ts'
import { answerOf, placeOf, type SqlAnswer, type SqlPlace } from './sql-client.ts'

/** The small part of a `Kysely` that is used here. */
export interface Kysely {
  withoutPlugins(): Kysely
  /** A compiled query, in the words of whichever version of Kysely it is. */
  executeQuery(query: never): Promise<{ readonly rows: unknown[]; readonly numAffectedRows?: bigint | undefined }>
}

/**
 * A `Kysely` over its dialect for `pg` for `postgres()`, or over that for `mysql2` for `mysql()`. The statements bypass its plugins, such as one that renames columns.
 *
 * @example
 * const provider = postgres(fromKysely(db))
 *
 * @throws {InvalidOptionError} for a transaction, and for anything else.
 */
export function fromKysely(db: Kysely): SqlPlace {
  if (!has(db, 'withoutPlugins', 'executeQuery')) refuse('fromKysely', 'a Kysely', db)
  refuseTransaction('fromKysely', 'isTransaction' in db && db.isTransaction)
  return placeOf(kyselyQuery(db))
}

/** Sends statements past the plugins of a `Kysely` or of its transaction. */
export function kyselyQuery(db: Kysely) {
  const plain = db.withoutPlugins()
  return async (text: string, values: unknown[]): Promise<SqlAnswer> => {
    const { rows, numAffectedRows } = await plain.executeQuery(compiled(text, values) as never)
    const changed =
      rows.length === 0 && numAffectedRows !== undefined ? { affectedRows: Number(numAffectedRows) } : undefined
    return answerOf(rows, changed)
  }
}

/** As `CompiledQuery.raw` makes it, without the package being needed here. */
const compiled = (sql: string, parameters: readonly unknown[]): object => ({
  sql,
  parameters,
  query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
  queryId: { queryId: 'ticklock' },
})
