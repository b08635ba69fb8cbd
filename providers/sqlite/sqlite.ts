import { StoreError } from '../../src/errors.ts'
import type { CallOptions, LockProvider, Settled } from '../../src/provider/contract.ts'
import { checkLock, compareNames, isReadable, type RawLock, readRecord, repairLock } from '../../src/provider/record.ts'
import {
  type Resolved,
  type Resolver,
  resolveAcquire,
  resolveExtend,
  resolveForceRelease,
  resolvePause,
  resolveRelease,
  resolveReset,
} from '../../src/provider/resolve.ts'
import { BusyRetries, waitFor } from './busy.ts'
import { type Connection, sourceOf } from './client.ts'
import { sqliteHistory } from './history.ts'
import { readInput, type SqliteInput } from './options.ts'
import { transaction } from './transaction.ts'
import { transactionsOf } from './transactions.ts'

/** How long the verbs that are about one record wait for others, in ms. */
const SHORT_WAIT = 2_000

/**
 * Keeps locks in an SQLite file that the processes of one machine share.
 *
 * Takes the path or URL of a file (opened at the first use, its table made when missing; needs Node.js 22.13 or later, or
 * `@photostructure/sqlite`, or `better-sqlite3`), or your own open database, or {@link SqliteOptions}. The store's clock is the machine's.
 * A call that other processes keep from the file for more than 4 s rejects; the event loop stays free meanwhile.
 *
 * @example
 * const provider = sqlite('./ticklock.sqlite')
 *
 * @throws {InvalidOptionError} for wrong options. Nothing is opened before the first use.
 */
export function sqlite(input: SqliteInput): LockProvider {
  const settings = readInput(input)
  const source = sourceOf(settings)
  // The columns are of whole numbers.
  const now = (): number => Math.floor(settings.now())

  // Readers don't wait behind writers: mostly nothing keeps them from the file.
  const reads = new BusyRetries(source.file)
  const writes = new BusyRetries(source.file)

  const use = <Result>(
    retries: BusyRetries,
    work: (connection: Connection) => Result,
    wait?: number,
  ): Promise<Result> =>
    retries.run(async () => {
      const connection = await source.connect()
      try {
        return work(connection)
      } catch (error) {
        throw source.explain(error, connection)
      }
    }, wait ?? waitFor())

  const read = <Result>(work: (connection: Connection) => Result, wait?: number): Promise<Result> =>
    use(reads, (connection) => transaction(connection.database, 'DEFERRED', () => work(connection)), wait)

  const write = <Result>(work: (connection: Connection) => Result, wait?: number): Promise<Result> =>
    use(
      writes,
      (connection) =>
        transaction(connection.database, 'IMMEDIATE', () => {
          connection.refuseUnsafeWrite()
          return work(connection)
        }),
      wait,
    )

  /**
   * Most requests in a cluster are refused, and a refusal needs no write lock: so the records are first read without. Whatever
   * changes a record is decided again from what stands there under the write lock, and by the time when that was got.
   */
  const decideAll = async <Request extends { readonly name: string }, Answer>(
    requests: readonly Request[],
    decide: Decision<Request, Answer>,
    wait?: number,
  ): Promise<readonly Settled<Answer>[]> => {
    const unchanged = await read(({ table }) => {
      const records = requests.map(({ name }) => table.get(name))
      // After the records: what made them is not later.
      const storeTime = now()
      const results: Settled<Answer>[] = []
      for (const [index, request] of requests.entries()) {
        const result = settle(() => decide(records[index], request, storeTime))
        if (!(result instanceof Error) && result.next) return undefined
        results.push(result instanceof Error ? result : result.result)
      }
      return results
    }, wait)
    if (unchanged) return unchanged
    return write(({ table }) => {
      const storeTime = now()
      return requests.map((request) =>
        settle(() => {
          const { result, next } = decide(table.get(request.name), request, storeTime)
          if (next) table.put(next)
          return result
        }),
      )
    }, wait)
  }

  const decideBatch = <Request extends { readonly name: string }, Answer>(
    requests: readonly Request[],
    answerer: Resolver<Request, Answer>,
    options: CallOptions | undefined,
  ): Promise<readonly Settled<Answer>[]> => decideAll(requests, checked(answerer), waitFor(options?.timeout))

  const decideOne = async <Request extends { readonly name: string }>(
    request: Request,
    decide: Decision<Request, boolean>,
  ): Promise<boolean> => {
    const [result] = await decideAll([request], decide, SHORT_WAIT)
    if (result instanceof Error) throw result
    return result === true
  }

  return {
    acquire: (requests, options) => decideBatch(requests, resolveAcquire, options),
    extend: (requests, options) => decideBatch(requests, resolveExtend, options),
    release: (requests, options) => decideBatch(requests, resolveRelease, options),
    read: (names) =>
      read(({ table }) => {
        const locks = names ? [...new Set(names)].flatMap((name) => table.get(name) ?? []) : table.all()
        const storeTime = now()
        return locks.map((lock) => readRecord(lock, storeTime)).sort(compareNames)
      }),
    forceRelease: (name) => decideOne({ name }, repairing(resolveForceRelease)),
    reset: (request) => decideOne(request, repairing(resolveReset)),
    setPaused: (request) => decideOne(request, checked(resolvePause)),
    transactions: transactionsOf(settings.table, now),
    history: sqliteHistory(
      settings.table,
      {
        write: (work) => write(({ database }) => work(database)),
        read: (work) => read(({ database }) => work(database)),
      },
      now,
    ),
    prune: (olderThanMs) => write(({ table }) => table.prune(now() - olderThanMs)),
    setup: () => use(writes, ({ table }) => table.ensure()),
    close: () => source.close(),
  }
}

/** Decides a request by the record as it stands in the table. */
type Decision<Request, Answer> = (record: RawLock | undefined, request: Request, now: number) => Resolved<Answer>

/** Fails for a record that can't be read. */
const checked =
  <Request, Answer>(answerer: Resolver<Request, Answer>): Decision<Request, Answer> =>
  (record, request, now) =>
    answerer(record && checkLock(record), request, now)

/** Repairs a record that can't be read, and then decides. */
const repairing =
  <Request extends { readonly name: string }>(answerer: Resolver<Request, boolean>): Decision<Request, boolean> =>
  (record, request, now) => {
    if (!record || isReadable(record)) return checked(answerer)(record, request, now)
    const repaired = repairLock(request.name, record, now)
    return { result: true, next: answerer(repaired, request, now).next ?? repaired }
  }

/** A request's own failure is its result: that of its record. What concerns the whole file is thrown. */
function settle<Result>(work: () => Result): Settled<Result> {
  try {
    return work()
  } catch (error) {
    if (error instanceof StoreError) return error
    throw error
  }
}
