/*
 * One connection for as long as one statement needs it, from whatever the user gave: what the statement may be sent over, whether a
 * transaction is open there, how the statement is cancelled, and how the connection is given up.
 */
import { connect } from 'node:net'
import type { PostgresClient } from './options.ts'

export interface Session {
  readonly client: PostgresClient
  /** Only the first call counts. `true` drops a lent connection. */
  release(drop: boolean): void
}

/** Where sessions come from. */
export interface Sessions {
  open(): Promise<Session>
}

type PgPool = PostgresClient & { connect(): Promise<LentClient> }

interface LentClient extends PostgresClient {
  release(drop?: boolean): void
  on(event: 'error', listener: () => void): unknown
  off(event: 'error', listener: () => void): unknown
}

/** Clients of other libraries that lend one connection of `pg`, see `SqlClient` in src/clients. */
type Lender = PostgresClient & { session(): Promise<Session> }

/** Only pools of `pg` count their connections. */
const isPgPool = (client: object): client is PgPool =>
  'totalCount' in client && 'connect' in client && typeof client.connect === 'function'

const isLender = (client: object): client is Lender => 'session' in client && typeof client.session === 'function'

export function sessionsOf(client: PostgresClient, isPool: boolean): Sessions {
  if (isPgPool(client)) return { open: () => checkOut(client) }
  if (isLender(client)) return { open: async () => releasedOnce(await client.session()) }
  if (isPool) return { open: async () => ({ client, release() {} }) }
  return oneByOne(client)
}

async function checkOut(pool: PgPool): Promise<Session> {
  const client = await pool.connect()
  // A pool listens for errors of the clients it has, and not of those it has lent. The query that runs meets the failure anyway.
  const ignore = (): void => {}
  client.on('error', ignore)
  return releasedOnce({
    client,
    release(drop) {
      client.off('error', ignore)
      client.release(drop)
    },
  })
}

function releasedOnce({ client, release }: Session): Session {
  let released = false
  return {
    client,
    release(drop) {
      if (!released) release(drop)
      released = true
    },
  }
}

/** `pg` warns of queries that are sent over one client while another runs, and its next version will refuse them. */
function oneByOne(client: PostgresClient): Sessions {
  let last: Promise<unknown> = Promise.resolve()
  return {
    open() {
      const turn = last.then(() => ({ client, release: () => release() }))
      let release: () => void
      last = new Promise<void>((resolve) => {
        release = resolve
      })
      return turn
    },
  }
}

/** The parts of a client of `pg` that are used here, of 8.11 and later. */
interface PgClient {
  readonly host: string
  readonly port: number
  readonly processID: number | null
  readonly secretKey: number | null
  readonly connection: { on(event: 'readyForQuery', listener: (message: { readonly status: string }) => void): unknown }
}

const isPgClient = (client: object): client is PgClient => 'connection' in client && 'processID' in client

const statuses = new WeakMap<object, string>()

/**
 * Whether a transaction is open on a connection, as the server reported after the last statement. `undefined` when that isn't known: nothing has been
 * heard yet, or it isn't a client of `pg`.
 */
export function isInTransaction(client: object): boolean | undefined {
  if (!isPgClient(client)) return undefined
  if (!statuses.has(client)) {
    const known = 'getTransactionStatus' in client ? (client.getTransactionStatus as () => string | null)() : null
    statuses.set(client, known ?? '')
    client.connection.on('readyForQuery', ({ status }) => statuses.set(client, status))
  }
  const status = statuses.get(client)
  return status ? status !== 'I' : undefined
}

/** How long a cancelled statement has to end before its connection is given up, ms. */
export const CANCEL_TIMEOUT = 1_000

/**
 * Asks the server to cancel what runs on a connection of `pg`, as libpq does: by a connection of its own, in clear text, which carries a key and
 * no data. Resolves when the server, or the pooler, has taken note and closed that one. Undefined when it is no client of `pg`.
 */
export function cancel(client: object): Promise<void> | undefined {
  if (!isPgClient(client) || client.processID === null || client.secretKey === null) return undefined
  const { host, port, processID, secretKey } = client
  const request = Buffer.alloc(16)
  for (const [index, value] of [16, 80_877_102, processID, secretKey].entries()) request.writeInt32BE(value, index * 4)
  return new Promise((resolve) => {
    const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
    socket.on('error', () => {}) // What isn't cancelled ends by itself, or its connection is dropped.
    socket.on('close', () => resolve())
    socket.setTimeout(CANCEL_TIMEOUT, () => socket.destroy())
    // Not ended from here: PgBouncer 1.18 crashes when a client goes before its request was passed on.
    socket.write(request)
    socket.resume()
  })
}
