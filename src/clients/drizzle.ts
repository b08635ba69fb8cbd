import { fromPostgresJs, type PostgresJs } from './postgres-js.ts'
import { has, refuse } from './refuse.ts'
import { answerOf, placeOf, type SqlAnswer, type SqlPlace, type SqlSession } from './sql-client.ts'

/** The small part of a Drizzle database that is used here. */
export interface DrizzleDatabase {
  /** The driver's client that it was made over. */
  readonly $client: unknown
}

interface QueryClient {
  query(text: string, values: unknown[]): Promise<unknown>
}

/**
 * A Drizzle database for `postgres()` or `mysql()`: the driver's own client that it was made over is used, one of `pg`, `postgres`, PGlite or `mysql2`.
 *
 * @example
 * const provider = postgres(fromDrizzle(db))
 *
 * @throws {InvalidOptionError} for a transaction, a database over another driver, and for anything else.
 */
export function fromDrizzle(db: DrizzleDatabase): SqlPlace {
  const client: unknown = (db as DrizzleDatabase | undefined)?.$client
  if (has(client, 'unsafe')) return fromPostgresJs(client as PostgresJs)
  if (has(client, 'promise')) return queriesOf((client as { promise(): QueryClient }).promise(), true)
  if (!has(client, 'query')) {
    refuse('fromDrizzle', 'a Drizzle database over pg, postgres, PGlite or mysql2, and not one of its transactions', db)
  }
  const isPool = 'totalCount' in (client as object) || has(client, 'getConnection')
  return queriesOf(client as QueryClient, isPool)
}

/** A single connection gets one query after another: `pg` warns of more than one at a time. */
function queriesOf(client: QueryClient, isPool: boolean): SqlPlace {
  let last: Promise<unknown> = Promise.resolve()
  const query = async (text: string, values: unknown[]): Promise<SqlAnswer> => {
    const answer = isPool ? client.query(text, values) : last.then(() => client.query(text, values))
    last = isPool ? last : answer.catch(() => {})
    const result = (await answer) as readonly unknown[] | { readonly rows: readonly unknown[] }
    if ('rows' in result) return answerOf(result.rows)
    return answerOf(Array.isArray(result[0]) ? result[0] : [], result[0])
  }
  return placeOf(query, sessionsOf(client))
}

/** Those of a pool or a client of `pg`. */
function sessionsOf(client: QueryClient): (() => Promise<SqlSession>) | undefined {
  const pg = client as unknown as SqlSession['client'] & { connect(): Promise<PoolClient> }
  if ('totalCount' in client) {
    return async () => {
      const lent = await pg.connect()
      return { client: lent, release: (drop) => lent.release(drop) }
    }
  }
  if (!('connectionParameters' in client)) return undefined
  let turn: Promise<unknown> = Promise.resolve()
  return async () => {
    const before = turn
    let release = (): void => {}
    turn = new Promise<void>((resolve) => {
      release = resolve
    })
    await before
    return { client: pg, release: () => release() }
  }
}

type PoolClient = SqlSession['client'] & { release(drop: boolean): void }
