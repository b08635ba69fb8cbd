import type { LockProvider } from '../../src/provider/contract.ts'
import { Acquirer } from './acquire.ts'
import { extender } from './extend.ts'
import { postgresHistory } from './history.ts'
import { type PostgresInput, readInput } from './options.ts'
import { prepared } from './prepared.ts'
import { Records } from './records.ts'
import { releaser } from './release.ts'
import { Table } from './table.ts'
import { transactionsOf } from './transactions.ts'

export type PostgresProvider = LockProvider & Required<Pick<LockProvider, 'setup'>>

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
  const table = new Table(readInput(input))
  const records = new Records(table)
  const acquirer = new Acquirer(table, records)
  return {
    acquire: (requests, options) => acquirer.acquire(requests, options),
    extend: extender(table),
    release: releaser(table),
    read: (names) => records.read(names),
    forceRelease: (name) => records.forceRelease(name),
    reset: (request) => records.reset(request),
    prune: (olderThanMs) => records.prune(olderThanMs),
    setPaused: (request) => records.setPaused(request),
    transactions: transactionsOf(table.quoted),
    history: postgresHistory(table.name, (text, values) => table.connection.query(prepared(text), values ?? [])),
    setup: () => table.setup(),
    close: () => table.connection.close(),
  }
}
