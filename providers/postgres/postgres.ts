import { setTimeout as pause } from 'node:timers/promises'
import { StoreError } from '../../src/errors.ts'
import type { ExtendRequest, Lease, LockProvider, LockRecord, ReleaseRequest } from '../../src/provider/contract.ts'
import { holderOf } from '../../src/provider/holder.ts'
import { quoteTable } from '../../src/provider/sql.ts'
import { inWaves } from '../../src/provider/waves.ts'
import { Acquirer, column } from './acquire.ts'
import { connectionTo } from './connection.ts'
import { postgresHistory } from './history.ts'
import { type PostgresInput, readInput } from './options.ts'
import { codeOf, prepared } from './prepared.ts'
import { type AcquireRow, FAR, type GrantRow, type LeaseRow, type RecordRow, toLease, toRecord } from './rows.ts'
import { acquireStatement } from './statements/acquire.ts'
import { extendStatement } from './statements/extend.ts'
import { grantStatement } from './statements/grant.ts'
import { pauseStatement, resumeStatement } from './statements/pause.ts'
import { forceReleaseStatement, pruneStatement, readAllStatement, readStatement } from './statements/records.ts'
import { releaseStatement } from './statements/release.ts'
import { postgresSetup } from './statements/setup.ts'

export type PostgresProvider = LockProvider & Required<Pick<LockProvider, 'setup'>>

/** How often a statement is sent when the server gives up on it for the sake of another one. */
const ATTEMPTS = 10

const DEADLOCK = '40P01'
/** The server undid everything and asks for another try: a serialization failure (sessions whose isolation isn't READ COMMITTED), a deadlock. */
const TRY_AGAIN: readonly unknown[] = ['40001', DEADLOCK]

/**
 * After a deadlock, ms: the other session has been woken, but a row is nobody's until it has got to run. Who asks again before that takes
 * the row once more, and both wait for the server's deadlock_timeout (a second) again.
 */
const LEAST_PAUSE = 50

/**
 * Keeps locks in a table of PostgreSQL 12 or later, by the server's own clock. Each call costs one round trip for its whole batch.
 *
 * Takes a `Pool` or `Client` of `pg`, PGlite, anything with a `query` like theirs, the URL of a database, or
 * {@link PostgresOptions}. A pool or client that nobody listens to for `'error'` gets a listener that does nothing, since an
 * idle connection that breaks would end the process.
 *
 * @example
 * const provider = postgres(new pg.Pool())
 * await provider.setup()
 *
 * @throws {InvalidOptionError} for wrong options. Nothing is opened before the first use.
 */
export function postgres(input: PostgresInput): PostgresProvider {
  const settings = readInput(input)
  const table = quoteTable(settings.table, '"')
  const connection = connectionTo(settings)
  const statements = {
    acquire: prepared(acquireStatement(table)),
    grant: prepared(grantStatement(table)),
    extend: prepared(extendStatement(table)),
    release: prepared(releaseStatement(table)),
    read: prepared(readStatement(table)),
    readAll: prepared(readAllStatement(table)),
    forceRelease: prepared(forceReleaseStatement(table)),
    prune: prepared(pruneStatement(table)),
    pause: prepared(pauseStatement(table)),
    resume: prepared(resumeStatement(table)),
  }

  // Trying again is safe: what failed was undone as a whole.
  const query = async <Row>(statement: keyof typeof statements, values: unknown[]): Promise<readonly Row[]> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await connection.query(statements[statement], values)) as readonly Row[]
      } catch (error) {
        const code = codeOf(error)
        if (attempt === ATTEMPTS || !TRY_AGAIN.includes(code)) throw explain(error, settings.table)
        if (code === DEADLOCK) await pause(LEAST_PAUSE * (1 + Math.random()))
      }
    }
  }

  const read = async (names: readonly string[]): Promise<ReadonlyMap<string, LockRecord>> => {
    const rows = await query<RecordRow>('read', [names])
    return new Map(rows.map((row) => [row.name, toRecord(row)]))
  }

  const acquirer = new Acquirer({
    read,
    acquire: (values) => query<AcquireRow>('acquire', values),
    grant: (values) => query<GrantRow>('grant', values),
  })

  const extend = async (requests: readonly ExtendRequest[]): Promise<readonly (Lease | undefined)[]> => {
    const rows = await query<LeaseRow>('extend', extendValues(requests))
    const extended = new Map(rows.map((row) => [row.name, row]))
    return requests.map(({ name, owner }) => {
      const row = extended.get(name)
      return row && toLease(row, owner)
    })
  }

  const release = async (requests: readonly ReleaseRequest[]): Promise<readonly boolean[]> => {
    const rows = await query<{ readonly name: string }>('release', releaseValues(requests))
    const released = new Set(rows.map(({ name }) => name))
    return requests.map(({ name }) => released.has(name))
  }

  return {
    acquire: (requests) => inWaves(requests, (wave) => acquirer.acquire(wave)),
    extend: (requests) => inWaves(requests, extend),
    release: (requests) => inWaves(requests, release),
    async read(names) {
      const records = names ? [...(await read(names)).values()] : (await query<RecordRow>('readAll', [])).map(toRecord)
      return records.sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    async forceRelease(name) {
      return (await query('forceRelease', [name])).length > 0
    },
    reset: () => Promise.reject(new Error('reset is not there yet')),
    async prune(olderThanMs) {
      const rows = await query<{ readonly dropped: string | number }>('prune', [olderThanMs])
      return Number(rows[0]?.dropped)
    },
    async setPaused({ name, paused }) {
      return (await query(paused ? 'pause' : 'resume', [name])).length > 0
    },
    history: postgresHistory(settings.table, (text, values) => connection.query(prepared(text), values ?? [])),
    async setup() {
      await connection.once(postgresSetup(settings.table))
    },
    close: () => connection.close(),
  }
}

const extendValues = (requests: readonly ExtendRequest[]): unknown[] => [
  column(requests, ({ name }) => name),
  column(requests, holderOf),
  column(requests, ({ lockAtMostFor }) => lockAtMostFor),
  column(requests, ({ lockAtLeastFor }) => lockAtLeastFor),
  column(requests, ({ mayShortenUntil }) => mayShortenUntil && Math.min(mayShortenUntil, FAR)),
]

const releaseValues = (requests: readonly ReleaseRequest[]): unknown[] => [
  column(requests, ({ name }) => name),
  column(requests, holderOf),
  column(requests, ({ lockAtLeastFor }) => lockAtLeastFor),
  column(requests, ({ tick }) => tick),
]

/** PostgreSQL's undefined_table and undefined_column are what the user can mend; anything else is passed on as it is. */
function explain(error: unknown, table: string): unknown {
  const wrong = { '42P01': 'does not exist', '42703': 'lacks columns of ticklock' }[String(codeOf(error))]
  if (wrong === undefined) return error
  const way = `call setup() of the provider once, or put what postgresSetup('${table}') returns into a migration`
  return new StoreError(`postgres: the table ${table} ${wrong}; ${way}`, { cause: error })
}
