/* The memory of one process, by the machine's clock in whole milliseconds: a batch is decided in one go, and a restart forgets all. */
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

export function memoryStore(world: StoreWorld): SimulatedStore {
  const machine = new Server(world, 'milliseconds')
  const locks = new Kept<StoredLock>(world.now)

  const decideAll = async <Request extends { readonly name: string }, Answer>(
    requests: readonly Request[],
    decide: Answerer<Request, Answer>,
  ): Promise<readonly Answer[]> =>
    requests.map((request) => {
      const { answer, next } = decide(locks.get(request.name), request, machine.now())
      if (next) locks.put(request.name, next)
      return answer
    })

  return {
    kind: 'memory',
    provider: {
      acquire: (requests) => decideAll(requests, answerAcquire),
      extend: (requests) => decideAll(requests, answerExtend),
      release: (requests) => decideAll(requests, answerRelease),
      read: async (names) => readFrom(locks, names, machine.now()),
      forceRelease: async (name) => (await decideAll([{ name }], answerForceRelease))[0] === true,
      prune: async (olderThanMs) => pruneFrom(locks, machine.now() - olderThanMs),
      async close() {},
    },
    restart() {
      machine.crash()
      locks.clear()
    },
    lose: (name) => locks.drop(name),
  }
}
