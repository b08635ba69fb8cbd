/* What the models of stores share that live in the machine itself: its clock in whole milliseconds, and records that are there at once. */

import type { LockProvider } from '../../../src/provider/contract.ts'
import type { StoredLock } from '../../../src/provider/decide.ts'
import {
  type Resolver,
  resolveAcquire,
  resolveExtend,
  resolveForceRelease,
  resolveRelease,
  resolveReset,
} from '../../../src/provider/resolve.ts'
import { Kept } from './kept.ts'
import { pruneFrom, readFrom } from './records.ts'
import { Server } from './server.ts'
import type { StoreWorld } from './store.ts'

/** The records of the locks on one machine. */
export class LocalLocks {
  readonly machine: Server
  readonly locks: Kept<StoredLock>

  constructor(world: StoreWorld) {
    this.machine = new Server(world, 'milliseconds')
    this.locks = new Kept(world.now)
  }

  /** @param turn waited for before anything is written, if given: others come in between, and the whole batch is decided again */
  provider(turn?: () => Promise<void>): LockProvider {
    const { machine, locks } = this

    const decideAll = async <Request extends { readonly name: string }, Answer>(
      requests: readonly Request[],
      decide: Resolver<Request, Answer>,
    ): Promise<readonly Answer[]> => {
      if (turn) {
        const readAt = machine.now()
        const seen = requests.map((request) => decide(locks.get(request.name), request, readAt))
        if (seen.every(({ next }) => !next)) return seen.map(({ result }) => result)
        await turn()
      }
      const now = machine.now()
      return requests.map((request) => {
        const { result, next } = decide(locks.get(request.name), request, now)
        if (next) locks.put(request.name, next)
        return result
      })
    }

    return {
      acquire: (requests) => decideAll(requests, resolveAcquire),
      extend: (requests) => decideAll(requests, resolveExtend),
      release: (requests) => decideAll(requests, resolveRelease),
      read: async (names) => readFrom(locks, names, machine.now()),
      forceRelease: async (name) => (await decideAll([{ name }], resolveForceRelease))[0] === true,
      reset: async (request) => (await decideAll([request], resolveReset))[0] === true,
      prune: async (olderThanMs) => pruneFrom(locks, machine.now() - olderThanMs),
      async close() {},
    }
  }
}
