import { has, refuse, refuseTransaction } from './refuse.ts'
import { answerOf, placeOf, type SqlAnswer, type SqlPlace, type SqlSession } from './sql-client.ts'

/** The small part of a Knex instance that is used here. */
export interface Knex {
  readonly client: {
    /** The driver. */
    readonly dialect?: unknown
    acquireConnection(): Promise<unknown>
    releaseConnection(connection: unknown): Promise<unknown>
  }
}

interface PgConnection {
  __knex__disposed?: unknown
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly unknown[] }>
}

interface Mysql2Connection {
  promise(): { query(text: string, values: unknown[]): Promise<readonly [unknown, ...unknown[]]> }
}

/**
 * A Knex 3 instance over `pg` for `postgres()`, or over `mysql2` for `mysql()`. Each query takes a connection from Knex's pool and goes to the driver as it is:
 * Knex would read question marks, colons and lists in it in its own way.
 *
 * @example
 * const provider = postgres(fromKnex(knex))
 *
 * @throws {InvalidOptionError} for a transaction, and for anything else.
 */
export function fromKnex(knex: Knex): SqlPlace {
  if (!has(knex, 'raw') || !has(knex.client, 'acquireConnection', 'releaseConnection'))
    refuse('fromKnex', 'an instance of Knex', knex)
  refuseTransaction('fromKnex', 'isTransaction' in knex && knex.isTransaction)
  return placeOf(knexQuery(knex), knex.client.dialect === 'postgresql' ? () => sessionOf(knex) : undefined)
}

/** Sends each statement on a connection of the pool; that of a transaction has one, and keeps it. */
export const knexQuery =
  ({ client }: Knex) =>
  async (text: string, values: unknown[]): Promise<SqlAnswer> => {
    const connection = await client.acquireConnection()
    try {
      return await send(connection, text, values)
    } finally {
      await client.releaseConnection(connection)
    }
  }

async function sessionOf({ client }: Knex): Promise<SqlSession> {
  const connection = (await client.acquireConnection()) as PgConnection
  return {
    client: connection,
    release(drop) {
      // Knex's pool replaces a connection that is marked so.
      if (drop) connection.__knex__disposed = new Error('dropped by ticklock: it hung, or its server is read-only')
      void client.releaseConnection(connection)
    },
  }
}

async function send(connection: unknown, text: string, values: unknown[]): Promise<SqlAnswer> {
  if (has(connection, 'promise')) {
    const [answer] = await (connection as Mysql2Connection).promise().query(text, values)
    return answerOf(Array.isArray(answer) ? answer : [], answer)
  }
  const { rows } = await (connection as PgConnection).query(text, values)
  return answerOf(rows)
}
