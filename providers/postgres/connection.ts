import { StoreError } from '../../src/errors.ts'
import type { Place, PostgresClient, Settings } from './options.ts'
import { codeOf, type Send, sender } from './prepared.ts'

/** Runs statements, each as a transaction of its own. */
export interface Connection {
  query: Send
  /** Runs what is not worth preparing. */
  once(text: string): Promise<unknown>
  /** Ends what was opened here. Idempotent. */
  close(): Promise<void>
}

type OwnPool = PostgresClient & { end(): Promise<void> }

/** How long our own pool waits for a connection and for an answer: as long as the core does by default (`storeTimeout`). */
const PATIENCE_MS = 5_000

/** Opens nothing before the first query. */
export function connectionTo({ place, prepare }: Settings): Connection {
  return 'url' in place ? ownConnection(place.url, prepare) : usersConnection(place, prepare)
}

function usersConnection({ client, isPool }: Extract<Place, { client: object }>, prepare: boolean): Connection {
  survive(client)
  const send = sender(client, prepare)
  const once: Connection['once'] = (text) => client.query(text)
  return isPool ? { query: send, once, async close() {} } : { ...oneByOne(send, once), async close() {} }
}

function ownConnection(url: string, prepare: boolean): Connection {
  let opening: Promise<{ readonly pool: OwnPool; readonly send: Send }> | undefined
  let closing: Promise<void> | undefined
  const open = (): NonNullable<typeof opening> => {
    if (closing) throw new StoreError('postgres: the provider is closed')
    opening ??= openPool(url).then((pool) => ({ pool, send: sender(pool, prepare) }))
    return opening
  }
  return {
    query: async (statement, values) => (await open()).send(statement, values),
    once: async (text) => (await open()).pool.query(text),
    close() {
      closing ??=
        opening?.then(
          ({ pool }) => pool.end(),
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
function oneByOne(query: Send, once: Connection['once']): Pick<Connection, 'query' | 'once'> {
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    const answer = last.then(ask)
    last = answer.catch(() => {})
    return answer
  }
  return {
    query: (statement, values) => inTurn(() => query(statement, values)),
    once: (text) => inTurn(() => once(text)),
  }
}
