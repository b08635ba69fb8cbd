/* The part of `mysql2` that the provider uses. */

/**
 * What the provider needs of a client: a promise pool or a promise connection of `mysql2` is one, and so is anything that
 * takes `?` for values and answers `[rows, …]` or, for a statement that writes, `[{ affectedRows }, …]`.
 */
export interface MysqlClient {
  query(sql: string, values: Parameter[]): Promise<readonly [unknown, ...unknown[]]>
}

/** A pool or a connection of `mysql2` with callbacks: its `promise()` is used. */
export interface MysqlNonPromiseClient {
  promise(): MysqlClient
}

/** What is bound to a statement: strings travel as bytes, see `bytes` in client.ts. */
export type Parameter = Buffer | number
