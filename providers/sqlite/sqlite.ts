import {
  type Answerer,
  answerAcquire,
  answerExtend,
  answerForceRelease,
  answerPause,
  answerRelease,
} from '../../src/provider/answers.ts'
import type { LockProvider, LockRecord } from '../../src/provider/contract.ts'
import { sqliteHistory } from './history.ts'
import { readInput, type SqliteInput } from './options.ts'
import { type Connection, sourceOf } from './source.ts'
import { patiently, transaction } from './transaction.ts'

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

  const use = <Result>(work: (connection: Connection) => Result): Promise<Result> =>
    patiently(async () => {
      const connection = await source.connect()
      try {
        return work(connection)
      } catch (error) {
        throw connection.table.explain(error)
      }
    })

  const write = <Result>(work: (connection: Connection) => Result): Promise<Result> =>
    use((connection) =>
      transaction(connection.database, 'IMMEDIATE', () => {
        connection.refuseUnsafeWrite()
        return work(connection)
      }),
    )

  /**
   * Most asks in a cluster are refused, and a refusal needs no write lock: so the records are first looked at without. Whatever
   * changes a record is decided again from what stands there under the write lock, and by the time when that was got.
   */
  const decideAll = async <Request extends { readonly name: string }, Answer>(
    requests: readonly Request[],
    decide: Answerer<Request, Answer>,
  ): Promise<readonly Answer[]> => {
    const unchanged = await use(({ database, table }) =>
      transaction(database, 'DEFERRED', () => {
        const storeTime = now()
        const answers: Answer[] = []
        for (const request of requests) {
          const { answer, next } = decide(table.get(request.name), request, storeTime)
          if (next) return undefined
          answers.push(answer)
        }
        return answers
      }),
    )
    if (unchanged) return unchanged
    return write(({ table }) => {
      const storeTime = now()
      return requests.map((request) => {
        const { answer, next } = decide(table.get(request.name), request, storeTime)
        if (next) table.put(next)
        return answer
      })
    })
  }

  return {
    acquire: (requests) => decideAll(requests, answerAcquire),
    extend: (requests) => decideAll(requests, answerExtend),
    release: (requests) => decideAll(requests, answerRelease),
    read: (names) =>
      use(({ database, table }) =>
        transaction(database, 'DEFERRED', () => {
          const storeTime = now()
          const locks = names ? [...new Set(names)].flatMap((name) => table.get(name) ?? []) : table.all()
          return locks.map((lock): LockRecord => ({ ...lock, storeTime })).sort((a, b) => (a.name < b.name ? -1 : 1))
        }),
      ),
    async forceRelease(name) {
      const [freed] = await decideAll([{ name }], answerForceRelease)
      return freed === true
    },
    async setPaused(request) {
      const [changed] = await decideAll([request], answerPause)
      return changed === true
    },
    history: sqliteHistory(
      settings.table,
      {
        write: (work) => write(({ database }) => work(database)),
        read: (work) => use(({ database }) => transaction(database, 'DEFERRED', () => work(database))),
      },
      now,
    ),
    reset: () => Promise.reject(new Error('reset is not there yet')),
    prune: (olderThanMs) => write(({ table }) => table.prune(now() - olderThanMs)),
    setup: () => use(({ table }) => table.ensure()),
    close: () => source.close(),
  }
}
