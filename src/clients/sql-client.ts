/**
 * What a query comes to, in the words of both drivers that the providers know: `rows` as `pg` answers, and the first element as `mysql2` does, the rows or what
 * was changed.
 */
export type SqlAnswer = readonly [result: unknown, ...unknown[]] & { readonly rows: readonly unknown[] }

/** A client of another library as `postgres()` and `mysql()` take it. Each query is a transaction of its own. */
export interface SqlClient {
  query(text: string, values?: unknown[]): Promise<SqlAnswer>
}

/** The options that hand a client to `postgres()` or `mysql()`: spread them to add others, such as `table`. */
export interface SqlPlace {
  /** Taken for a pool: the provider sends several queries at once. */
  readonly pool: SqlClient
}

/** An answer of rows, or of what a statement changed. */
export function answerOf(rows: readonly unknown[], changed?: unknown): SqlAnswer {
  return Object.assign([changed ?? rows] as [unknown], { rows })
}

/** Hands a client's queries over. */
export const placeOf = (query: (text: string, values: unknown[]) => Promise<SqlAnswer>): SqlPlace => ({
  pool: { query: (text, values = []) => query(text, values) },
})
