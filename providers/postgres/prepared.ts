import { createHash } from 'node:crypto'
import type { PostgresClient } from './options.ts'

export interface Statement {
  readonly text: string
  /** What a session calls it once it has planned it. Undefined for a statement that isn't worth that. */
  readonly name?: string
}

/** Sends a statement with its values over a connection. Resolves to its rows. */
export type Send = (
  client: PostgresClient,
  statement: Statement,
  values: readonly unknown[],
) => Promise<readonly unknown[]>

/**
 * Names a statement by its text. Behind a pooler a session may have prepared statements of other processes, also of other versions of this
 * package: what has the same name must be the same statement.
 */
export const prepared = (text: string): Required<Statement> => ({
  text,
  name: `ticklock_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`,
})

/**
 * What a session answers that doesn't know the name, or knows it when it shouldn't, as sessions behind a pooler in transaction mode do; or whose
 * table has changed since. Nothing was carried out then.
 */
const NOT_AS_PREPARED: readonly unknown[] = ['26000', '42P05', '0A000']

/**
 * A larger batch is planned each time, for its own size and the table's as it is: that costs little beside running it, and a plan that was made when
 * the table was small would cost much.
 */
const MOST_PREPARED = 100

const isLarge = (values: readonly unknown[]): boolean =>
  values.some((value) => Array.isArray(value) && value.length > MOST_PREPARED)

interface NamedQuery extends Required<Statement> {
  readonly values: unknown[]
}

/** Clients of `pg` take a statement with a name, plan it once in each session, and send only the name from then on. */
type PreparingClient = { query(query: NamedQuery): ReturnType<PostgresClient['query']> }

/** Only clients of `pg` have these. Anything else is sent the text each time, which is right for all, if slower. */
const prepares = (client: object): client is PreparingClient =>
  'totalCount' in client || 'connectionParameters' in client

/**
 * Sends statements by their names where the client can. The server plans a statement of ours in longer than it runs it. When a session
 * turns out not to keep names, the text is sent, then and from then on.
 */
export function sender(prepare: boolean): Send {
  let named = prepare
  return async (client, { text, name }, values) => {
    try {
      if (named && name !== undefined && prepares(client) && !isLarge(values))
        return (await client.query({ text, name, values: [...values] })).rows
    } catch (error) {
      if (!NOT_AS_PREPARED.includes(codeOf(error))) throw error
      named = false
    }
    return (await client.query(text, [...values])).rows
  }
}

/** The code of an error: PostgreSQL's SQLSTATE, or one of Node. */
export const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
