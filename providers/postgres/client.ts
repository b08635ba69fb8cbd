import { StoreError } from '../../src/errors.ts'
import type { Place, PostgresClient, Settings } from './options.ts'
import { codeOf, type Send, type Statement, sender } from './prepared.ts'
import { CANCEL_TIMEOUT, cancel, isInTransaction, type Session, type Sessions, sessionsOf } from './session.ts'
import type { RefusedCall } from './statements/call.ts'

/** How long a call waits for its connection and its result by default, ms: as long as the core does (`storeTimeout`). */
export const DEFAULT_TIMEOUT = 5_000

/** So many statements may run past their timeouts that could not be cancelled. Then no other is sent. */
const MOST_OVERDUE = 2

/** How often a call is sent while it is unclear whether it met a transaction of somebody else. */
const ATTEMPTS = 8

/** How long a statement may take, ms. */
export interface Bounds {
  /** From the call to the result. */
  readonly timeout: number
  /** How long it may wait for each lock on the server. */
  readonly lockTimeout: number
}

/** Runs statements, each as a transaction of its own. */
export interface Connection {
  /** Runs a statement that begins as call.ts says. */
  call(statement: Statement, values: readonly unknown[], bounds: Bounds): Promise<readonly unknown[]>
  /** Runs any statement. */
  query(statement: Statement, values: readonly unknown[], timeout?: number): Promise<readonly unknown[]>
  /** Runs what is not worth preparing, without values or a timeout. */
  once(text: string): Promise<unknown>
  /** Ends what was opened here. Idempotent. */
  close(): Promise<void>
}

type OwnPool = PostgresClient & { end(): Promise<void> }

/** Opens nothing before the first query. */
export function connectionTo({ place, prepare }: Settings): Connection {
  return 'url' in place ? ownConnection(place.url, prepare) : usersConnection(place, prepare)
}

function usersConnection({ client, isPool }: Extract<Place, { client: object }>, prepare: boolean): Connection {
  survive(client)
  const runner = new Runner(sessionsOf(client, isPool), sender(prepare))
  return {
    call: (statement, values, bounds) => runner.call(statement, values, bounds),
    query: (statement, values, timeout) => runner.query(statement, values, timeout),
    once: (text) => runner.once(text),
    async close() {},
  }
}

function ownConnection(url: string, prepare: boolean): Connection {
  let opening: Promise<{ readonly pool: OwnPool; readonly runner: Runner }> | undefined
  let closing: Promise<void> | undefined
  const open = (): NonNullable<typeof opening> => {
    if (closing) throw new StoreError('postgres: the provider is closed')
    opening ??= openPool(url).then((pool) => ({
      pool,
      runner: new Runner(sessionsOf(pool, true), sender(prepare)),
    }))
    return opening
  }
  return {
    call: async (statement, values, bounds) => (await open()).runner.call(statement, values, bounds),
    query: async (statement, values, timeout) => (await open()).runner.query(statement, values, timeout),
    once: async (text) => (await open()).runner.once(text),
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
  const pg = await importDriver()
  const pool = new pg.Pool({
    connectionString: url,
    max: 4,
    keepAlive: true,
    connectionTimeoutMillis: DEFAULT_TIMEOUT,
    fallback_application_name: 'ticklock',
  })
  survive(pool)
  return pool
}

async function importDriver(): Promise<typeof import('pg')> {
  try {
    return ((await import('pg')) as unknown as { default: typeof import('pg') }).default
  } catch (cause) {
    if (!/^(ERR_)?MODULE_NOT_FOUND$/.test(String(codeOf(cause)))) throw cause
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

/** A server that is a standby, or was the primary before a failover. */
const READ_ONLY = '25006'

/** A statement within a transaction that has failed. Ours never is, unless the transaction is somebody else's. */
const ABORTED = '25P02'

/** Runs each statement on a session of its own, within a time. */
class Runner {
  readonly #sessions: Sessions
  readonly #send: Send
  /** Statements that nobody waits for any more, and that may still run on the server. */
  #overdue = 0

  constructor(sessions: Sessions, send: Send) {
    this.#sessions = sessions
    this.#send = send
  }

  async call(statement: Statement, values: readonly unknown[], bounds: Bounds): Promise<readonly unknown[]> {
    const met: string[] = []
    const deadline = performance.now() + bounds.timeout
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const rows = await this.#run(deadline, (client) =>
        this.#outside(client, (known) =>
          this.#send(client, statement, [String(bounds.lockTimeout), known ? null : met, ...values]),
        ),
      )
      const first = rows[0] as RefusedCall | undefined
      if (first?.name !== null) return rows
      if (first.outcome === 'inside') break
      met.push(first.locked_by)
    }
    throw notOnItsOwn()
  }

  query(
    statement: Statement,
    values: readonly unknown[],
    timeout: number = DEFAULT_TIMEOUT,
  ): Promise<readonly unknown[]> {
    return this.#run(performance.now() + timeout, (client) => this.#send(client, statement, values))
  }

  async once(text: string): Promise<unknown> {
    const session = await this.#sessions.open()
    try {
      return await session.client.query(text)
    } finally {
      session.release(false)
    }
  }

  /** Runs a statement outside of transactions of somebody else. `known`: the connection's own protocol says that none is open. */
  async #outside<Result>(client: PostgresClient, send: (known: boolean) => Promise<Result>): Promise<Result> {
    const before = isInTransaction(client)
    if (before) throw notOnItsOwn()
    const result = await send(before === false)
    // A BEGIN may have been on its way.
    if (isInTransaction(client)) throw notOnItsOwn()
    return result
  }

  /** @param deadline for the connection and the result together, on the monotonic clock */
  async #run<Result>(deadline: number, send: (client: PostgresClient) => Promise<Result>): Promise<Result> {
    if (this.#overdue >= MOST_OVERDUE) throw tooManyOverdue(this.#overdue)
    const session = await this.#open(deadline - performance.now())
    const timeout = deadline - performance.now()
    const running = send(session.client)
    let drop = false
    let late = false
    try {
      const result = await within(timeout, running)
      late = result === LATE
      if (result !== LATE) return result
      throw new StoreError(`postgres: the server did not respond within ${Math.round(timeout)} ms`)
    } catch (error) {
      drop = codeOf(error) === READ_ONLY
      throw codeOf(error) === ABORTED ? notOnItsOwn(error) : error
    } finally {
      if (late) void this.#cancel(session, running)
      else session.release(drop)
    }
  }

  async #open(timeout: number): Promise<Session> {
    const opening = this.#sessions.open()
    const session = await within(timeout, opening)
    if (session !== LATE) return session
    // A connection that comes when nobody waits any more is not used.
    opening.then(
      (unused) => unused.release(false),
      () => {},
    )
    throw new StoreError(`postgres: no connection was free within ${Math.round(timeout)} ms`)
  }

  /** Ends a statement that nobody waits for any more. One that can't be cancelled counts until it ends by itself. */
  async #cancel(session: Session, running: Promise<unknown>): Promise<void> {
    const ended = running.then(
      () => {},
      () => {},
    )
    const cancelled = cancel(session.client)
    // A request to cancel that was still under way would meet the next statement.
    if (cancelled && (await within(CANCEL_TIMEOUT, Promise.all([ended, cancelled]))) !== LATE)
      return session.release(false)
    this.#overdue++
    // A connection that was silently dead does not come back.
    if (cancelled) session.release(true)
    await ended
    session.release(true)
    this.#overdue--
  }
}

const LATE = Symbol('late')

/** The longest timer of Node, ms. */
const LONGEST_TIMER = 2 ** 31 - 1

function within<Result>(ms: number, promise: Promise<Result>): Promise<Result | typeof LATE> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(LATE), Math.min(ms, LONGEST_TIMER))
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

const notOnItsOwn = (cause?: unknown): StoreError =>
  new StoreError(
    'postgres: the connection is inside a transaction that somebody else began, so no other node sees its locks, and a ROLLBACK undoes them; ' +
      'give ticklock a pool or a client of its own, and look for a BEGIN without its COMMIT or ROLLBACK',
    { cause },
  )

const tooManyOverdue = (count: number): StoreError =>
  new StoreError(
    `postgres: ${count} earlier statements have not ended on the server in time, so no other is sent until they do; does a session lock the whole table?`,
  )
