/*
 * SQLite, as its documentation has it:
 *
 *   - It has no clock of its own: the machine's, in the whole milliseconds that the columns keep.
 *   - A read transaction sees one state of the file ("Isolation In SQLite"): when nothing would change, it answers. Otherwise the whole
 *     batch is decided again in a write transaction, of which there is one at a time (BEGIN IMMEDIATE); others come in between.
 *   - A committed write survives a crash of the process, and of the machine with PRAGMA synchronous = FULL. There are no replicas.
 */
import {
  type Answerer,
  answerAcquire,
  answerExtend,
  answerForceRelease,
  answerRelease,
} from '../../../src/provider/answers.ts'
import type { StoredLock } from '../../../src/provider/decide.ts'
import { Kept } from './kept.ts'
import { pruneFrom, readFrom } from './records.ts'
import { Server } from './server.ts'
import type { SimulatedStore, StoreWorld } from './store.ts'

export function sqliteStore(world: StoreWorld): SimulatedStore {
  const machine = new Server(world, 'milliseconds')
  const locks = new Kept<StoredLock>(world.now)

  const decideAll = async <Request extends { readonly name: string }, Answer>(
    requests: readonly Request[],
    decide: Answerer<Request, Answer>,
  ): Promise<readonly Answer[]> => {
    const readAt = machine.now()
    const seen = requests.map((request) => decide(locks.get(request.name), request, readAt))
    if (seen.every(({ next }) => !next)) return seen.map(({ answer }) => answer)
    await machine.pause()
    const now = machine.now()
    return requests.map((request) => {
      const { answer, next } = decide(locks.get(request.name), request, now)
      if (next) locks.put(request.name, next)
      return answer
    })
  }

  return {
    kind: 'sqlite',
    provider: {
      acquire: (requests) => decideAll(requests, answerAcquire),
      extend: (requests) => decideAll(requests, answerExtend),
      release: (requests) => decideAll(requests, answerRelease),
      read: async (names) => readFrom(locks, names, machine.now()),
      forceRelease: async (name) => (await decideAll([{ name }], answerForceRelease))[0] === true,
      prune: async (olderThanMs) => pruneFrom(locks, machine.now() - olderThanMs),
      async close() {},
    },
    restart: () => machine.crash(),
    lose: (name) => locks.drop(name),
  }
}
