/**
 * What a query comes to, in the words of both drivers that the providers know: `rows` as `pg` answers, and the first element as `mysql2` does, the rows or what
 * was changed.
 */
export type SqlAnswer = readonly [unknown, ...unknown[]] & { readonly rows: readonly unknown[] }

/** One connection of `pg`, lent by another library until it is released. */
export interface SqlSession {
  readonly client: { query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }> }
  /** `true` closes the connection, where the library can. */
  release(drop: boolean): void
}

/** A client of another library as `postgres()` and `mysql()` take it. Each query is a transaction of its own. */
export interface SqlClient {
  query(text: string, values?: unknown[]): Promise<SqlAnswer>
  /** Only over `pg`: the connection itself, by which `postgres()` notices open transactions and cancels what takes too long. */
  session?(): Promise<SqlSession>
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

/** Hands a client's queries over, and its connections where it lends them. */
export const placeOf = (
  query: (text: string, values: unknown[]) => Promise<SqlAnswer>,
  session?: () => Promise<SqlSession>,
): SqlPlace => ({
  pool: { query: (text, values = []) => query(text, values), ...(session && { session }) },
})
