import { withoutLists } from './array-literal.ts'
import { type Knex, knexQuery } from './knex.ts'
import { type Kysely, kyselyQuery } from './kysely.ts'
import { has, refuse } from './refuse.ts'
import { answerOf, type SqlAnswer } from './sql-client.ts'

export type TransactionQuery = (text: string, values: unknown[]) => Promise<SqlAnswer>

type Rows = readonly unknown[]
type Returns<Result> = (text: string, values: unknown[]) => Promise<Result>

/**
 * Sends statements over a transaction of the user's: a client or a connection of `pg`, PGlite or `mysql2`, or a
 * transaction of postgres.js, Knex, Kysely, Drizzle, TypeORM (a query runner or an entity manager) or Prisma. Errors
 * are the client's own.
 *
 * @throws {InvalidOptionError} for anything else.
 */
export function queryIn(transaction: object): TransactionQuery {
  if (has(transaction, 'raw') && 'client' in transaction && has(transaction.client, 'acquireConnection'))
    return knexQuery(transaction as unknown as Knex)
  if (has(transaction, 'unsafe')) return ofRows((transaction as { unsafe: Returns<Rows> }).unsafe.bind(transaction))
  if (has(transaction, 'executeQuery', 'withoutPlugins')) return kyselyQuery(transaction as Kysely)
  if (has(transaction, '$queryRawUnsafe')) return ofPrisma(transaction as PrismaTransaction)
  if (has(transaction, 'rollback') && 'session' in transaction && hasClient(transaction.session))
    return queryIn(transaction.session.client) // Drizzle's.
  if (has(transaction, 'query') && (has(transaction, 'getRepository') || 'isTransactionActive' in transaction))
    return ofRows((transaction as unknown as { query: Returns<Rows> }).query.bind(transaction)) // TypeORM's.
  if (has(transaction, 'promise')) return queryIn((transaction as { promise(): object }).promise())
  if (has(transaction, 'query')) return ofDriver(transaction as { query: Returns<DriverResult> })
  return refuse('a transaction', 'one of a client that ticklock/clients names', transaction)
}

const hasClient = (session: unknown): session is { readonly client: object } =>
  typeof session === 'object' && session !== null && 'client' in session && session.client instanceof Object

/** What was read, or what a statement of MySQL changed. */
const ofRows =
  (query: Returns<Rows | object>): TransactionQuery =>
  async (text, values) => {
    const result = await query(text, values)
    return Array.isArray(result) ? answerOf(result) : answerOf([], result)
  }

interface PrismaTransaction {
  $queryRawUnsafe(query: string, ...values: unknown[]): PromiseLike<unknown>
}

const ofPrisma =
  (transaction: PrismaTransaction): TransactionQuery =>
  async (text, values) =>
    answerOf((await transaction.$queryRawUnsafe(text, ...withoutLists(values))) as Rows)

type DriverResult = readonly [unknown, ...unknown[]] | { readonly rows: Rows }

const ofDriver =
  (client: { query: Returns<DriverResult> }): TransactionQuery =>
  async (text, values) => {
    const result = await client.query(text, values)
    if ('rows' in result) return answerOf(result.rows)
    return answerOf(Array.isArray(result[0]) ? result[0] : [], result[0])
  }
