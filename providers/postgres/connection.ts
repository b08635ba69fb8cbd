import { StoreError } from '../../src/errors.ts'
import type { Place, PostgresClient } from './options.ts'

/** Runs statements, each as a transaction of its own. */
export interface Connection {
  query(text: string, values?: unknown[]): Promise<readonly unknown[]>
  /** Ends what was opened here. Idempotent. */
  close(): Promise<void>
}

type OwnPool = PostgresClient & { end(): Promise<void> }

/** How long our own pool waits for a connection and for an answer: as long as the core does by default (`storeTimeout`). */
const PATIENCE_MS = 5_000

/** Opens nothing before the first query. */
export function connectionTo(place: Place): Connection {
  return 'url' in place ? ownConnection(place.url) : usersConnection(place)
}

function usersConnection({ client, isPool }: Extract<Place, { client: object }>): Connection {
  survive(client)
  const query: Connection['query'] = async (text, values) => (await client.query(text, values)).rows
  return { query: isPool ? query : oneByOne(query), async close() {} }
}

function ownConnection(url: string): Connection {
  let opening: Promise<OwnPool> | undefined
  let closing: Promise<void> | undefined
  return {
    async query(text, values) {
      if (closing) throw new StoreError('postgres: the provider is closed')
      opening ??= openPool(url)
      return (await (await opening).query(text, values)).rows
    },
    close() {
      closing ??=
        opening?.then(
          (pool) => pool.end(),
          () => {}, // It was never opened.
        ) ?? Promise.resolve()
      return closing
    },
  }
}

async function openPool(url: string): Promise<OwnPool> {
  const { default: pg } = await importDriver()
  const pool = new pg.Pool({
    connectionString: url,
    max: 4,
    keepAlive: true,
    // A connection that is silently dead gives an error, and the pool replaces it.
    connectionTimeoutMillis: PATIENCE_MS,
    query_timeout: PATIENCE_MS,
    fallback_application_name: 'ticklock',
  })
  survive(pool)
  return pool
}

async function importDriver(): Promise<typeof import('pg')> {
  try {
    return await import('pg')
  } catch (cause) {
    if (codeOf(cause) !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new StoreError("postgres: a URL needs the package 'pg'; install it with: npm install pg", { cause })
  }
}

/**
 * An idle connection that breaks makes its pool or client emit 'error', and Node ends a process in which nobody listens. The
 * next query meets the failure anyway, so doing nothing is right. It stays for good: two providers may share a pool.
 */
function survive(client: object): void {
  if (!('on' in client && typeof client.on === 'function')) return
  if (!('listenerCount' in client && typeof client.listenerCount === 'function')) return
  if (client.listenerCount('error') === 0) client.on('error', () => {})
}

/** `pg` warns of queries that are sent over one client while another runs, and its next version will refuse them. */
function oneByOne(query: Connection['query']): Connection['query'] {
  let last: Promise<unknown> = Promise.resolve()
  return (text, values) => {
    const answer = last.then(() => query(text, values))
    last = answer.catch(() => {})
    return answer
  }
}

/** The code of an error: PostgreSQL's SQLSTATE, or one of Node. */
export const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
