import { acquireAll } from '../../../../src/testing/requests.ts'
import { acquiring, after, type Mutant, write } from './breaking.ts'

export const holding: readonly Mutant[] = [
  {
    defect: 'looks first and writes later',
    caughtBy: 'of many nodes that ask at once for a name never used before, exactly one is granted it',
    broken: (parts) => ({
      acquire: async (requests) => {
        const before = new Map(parts.locks)
        await new Promise((resolve) => setImmediate(resolve))
        for (const { name } of requests) {
          const lock = before.get(name)
          if (lock) parts.locks.set(name, lock)
          else parts.locks.delete(name)
        }
        return parts.right.acquire(requests)
      },
    }),
  },
  {
    defect: 'takes the label for the owner',
    caughtBy: 'a lock that is held is refused to another, also to one on the same host and with the same label',
    broken: acquiring(() => ({ owner: 'this-process' })),
  },
  {
    defect: 'throws when a lock is held',
    caughtBy: 'a lock that is held is refused to another, also to one on the same host and with the same label',
    broken: ({ right }) => ({
      acquire: async (requests) => {
        const answers = await acquireAll(right, requests)
        if (answers.some((answer) => !answer.granted)) throw new Error('duplicate key')
        return answers
      },
    }),
  },
  {
    defect: 'refuses without telling who has the lock',
    caughtBy: 'a refusal carries the record: who has the lock, until when, the last tick, and the time',
    broken: ({ right }) => ({
      acquire: async (requests) =>
        (await acquireAll(right, requests)).map((answer) =>
          answer.granted ? answer : { ...answer, record: undefined },
        ),
    }),
  },
  {
    defect: 'keeps leases in whole seconds',
    caughtBy: 'a lease shorter than a second ends when it says, and not a moment before',
    broken: acquiring(({ lockAtMostFor }) => ({ lockAtMostFor: Math.ceil(lockAtMostFor / 1_000) * 1_000 })),
  },
  {
    defect: 'ends every lease 20 ms early in the store',
    caughtBy: 'a grant is written in the store as it is answered',
    broken: after('acquire', ({ name }, _, parts) =>
      write(parts, name, { lockUntil: (parts.locks.get(name)?.lockUntil ?? 0) - 20 }),
    ),
  },
  {
    defect: 'counts leases in 32 bits',
    caughtBy: 'a lease of 30 days, and the longest that there is, last as long as they say',
    broken: acquiring(({ lockAtMostFor }) => ({ lockAtMostFor: Math.min(lockAtMostFor, 2 ** 31 - 1) })),
  },
  {
    defect: "decides by the client's clock",
    caughtBy: 'a lock that is held is refused, also to a node for which its lease seems to be over',
    broken: (parts) => ({
      acquire: (requests) => {
        const behind = Date.now() - (performance.timeOrigin + performance.now())
        for (const { name } of requests) {
          const lock = parts.locks.get(name)
          if (lock && lock.lockUntil <= parts.now() + behind) write(parts, name, { lockUntil: 0 })
        }
        return parts.right.acquire(requests)
      },
    }),
  },
  {
    defect: "tells the client's time",
    caughtBy: 'a lease counts from the clock of the store, and so does its extension',
    broken: ({ right }) => ({
      acquire: async (requests) =>
        (await acquireAll(right, requests)).map((answer) =>
          answer.granted ? { granted: true, lease: { ...answer.lease, storeTime: Date.now() } } : answer,
        ),
    }),
  },
]
