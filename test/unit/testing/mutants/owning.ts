import type { LockProvider } from '../../../../src/provider/contract.ts'
import { holderOf } from '../../../../src/provider/holder.ts'
import { after, type Mutant, write } from './breaking.ts'

export const owning: readonly Mutant[] = [
  {
    defect: 'lets anyone release',
    caughtBy: 'one who never held the lock can neither extend nor release it',
    broken: (parts) => ({
      release: (requests) => {
        for (const request of requests) write(parts, request.name, { lockedBy: holderOf(request) })
        return parts.right.release(requests)
      },
    }),
  },
  {
    defect: 'lets anyone extend',
    caughtBy: 'after a takeover the new holder can extend and release, the old one can do neither',
    broken: (parts) => ({
      extend: (requests) => {
        for (const request of requests) write(parts, request.name, { lockedBy: holderOf(request) })
        return parts.right.extend(requests)
      },
    }),
  },
  {
    defect: 'extends a lease that is over',
    caughtBy: 'a holder whose lease expired can neither extend nor release, though nobody took it',
    broken: (parts) => ({
      extend: (requests) => {
        for (const request of requests) {
          const ours = parts.locks.get(request.name)?.lockedBy === holderOf(request)
          if (ours) write(parts, request.name, { lockUntil: parts.now() + 60_000 })
        }
        return parts.right.extend(requests)
      },
    }),
  },
  {
    defect: 'marks the tick of a holder that was too late',
    caughtBy: 'after a takeover the new holder can extend and release, the old one can do neither',
    broken: after('release', ({ name }, _, parts) => write(parts, name, { tickDone: true })),
  },
  {
    defect: 'calls a store that fails a lock that is held',
    caughtBy: 'every verb rejects with an error when the store is unreachable',
    hooks: {
      unreachable: () => {
        const failed = async (): Promise<never> => {
          throw new Error('connection refused')
        }
        const acquire: LockProvider['acquire'] = async (requests) =>
          requests.map(() => ({ granted: false, reason: 'held', storeTime: 0 }))
        const others = {
          extend: failed,
          release: failed,
          read: failed,
          forceRelease: failed,
          reset: failed,
          prune: failed,
        }
        return { ...others, acquire, close: async () => {} }
      },
    },
  },
]
