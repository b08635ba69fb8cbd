import { holderOf } from '../../../../src/provider/holder.ts'
import { acquireAll, readAll } from '../../../../src/testing/requests.ts'
import { acquiring, type Mutant, write } from './breaking.ts'

const keeping: Mutant[] = [
  {
    defect: 'forgets a lease as soon as it is over',
    caughtBy: 'tells of a lease that lapsed as long as nobody took it: who had it, which tick it left unfinished',
    broken: (parts) => ({
      async read(names) {
        const records = await readAll(parts.right, names)
        for (const { name, lockUntil } of records) {
          if (lockUntil <= parts.now()) write(parts, name, { lastTick: undefined, fencingToken: 0 })
        }
        return parts.right.read(names)
      },
    }),
  },
  {
    defect: 'reads in the order of a dictionary',
    caughtBy: 'of names answers those that exist, each once, in order of the names',
    broken: ({ right }) => ({
      read: async (names) => [...(await right.read(names))].sort((a, b) => a.name.localeCompare(b.name, 'en')),
    }),
  },
  {
    defect: 'reads at most a hundred records',
    caughtBy: 'of all answers every record, in order of the names',
    broken: ({ right }) => ({ read: async (names) => (await right.read(names)).slice(0, 100) }),
  },
  {
    defect: 'prunes locks that are held',
    caughtBy: 'drops what has been free, and past its last tick, for so long, and nothing else',
    broken: ({ locks, now }) => ({
      async prune(olderThanMs) {
        const old = [...locks.values()].filter(({ lockedAt }) => lockedAt < now() - olderThanMs)
        for (const { name } of old) locks.delete(name)
        return old.length
      },
    }),
  },
  {
    defect: 'prunes ticks that are to come',
    caughtBy: 'drops what has been free, and past its last tick, for so long, and nothing else',
    broken: ({ locks, now }) => ({
      async prune(olderThanMs) {
        const old = [...locks.values()].filter(({ lockUntil }) => lockUntil < now() - olderThanMs)
        for (const { name } of old) locks.delete(name)
        return old.length
      },
    }),
  },
  {
    defect: 'prunes all that is free, however short a time ago',
    caughtBy: 'keeps what was used less long ago',
    broken: ({ right }) => ({ prune: () => right.prune(0) }),
  },
  {
    defect: 'looks for what to prune, and drops it later',
    caughtBy: 'drops no lock that is granted at the same time',
    broken: ({ locks, now }) => ({
      async prune(olderThanMs) {
        const old = [...locks.values()].filter(({ lockUntil }) => lockUntil < now() - olderThanMs)
        await new Promise((resolve) => setImmediate(resolve))
        for (const { name } of old) locks.delete(name)
        return old.length
      },
    }),
  },
]

const living: Mutant[] = [
  {
    defect: 'makes the table anew',
    caughtBy: 'may be done again, by all nodes at once, and keeps what is there',
    broken: ({ locks }) => ({ setup: async () => locks.clear() }),
  },
  {
    defect: 'cannot be set up by two nodes at once',
    caughtBy: 'is set up by eight nodes at once without an error, and works for each of them',
    broken: () => {
      let busy = false
      return {
        async setup() {
          if (busy) throw new Error('duplicate key value violates unique constraint "pg_type_typname_nsp_index"')
          busy = true
          await new Promise((resolve) => setImmediate(resolve))
          busy = false
        },
      }
    },
  },
  {
    defect: 'calls a lock held when its table is missing',
    caughtBy: 'answers nothing as "not obtained" before it is set up: it works, or it says what is missing',
    broken: ({ right, now }) => {
      let ready = false
      return {
        setup: async () => {
          ready = true
        },
        acquire: async (requests) =>
          ready ? right.acquire(requests) : requests.map(() => ({ granted: false, reason: 'held', storeTime: now() })),
      }
    },
  },
  {
    defect: 'gives all locks back when it is closed',
    caughtBy: 'takes no lock from its holder, and disturbs no other node',
    broken: ({ locks }) => ({ close: async () => locks.clear() }),
  },
  {
    defect: 'cannot be closed twice',
    caughtBy: 'may be done twice, by a node that was used and by one that was not',
    broken: () => {
      let closed = false
      return {
        async close() {
          if (closed) throw new Error('Called end on pool more than once')
          closed = true
        },
      }
    },
  },
  {
    defect: "ends the user's client",
    caughtBy: 'still works after the provider was closed',
    hooks: { clientSurvivesClose: async () => false },
  },
]

const sharing: Mutant[] = [
  {
    defect: "takes ShedLock's records for free",
    caughtBy: 'is seen as the holder of what it has locked, and its lock is left alone',
    broken: (parts) => ({
      acquire: (requests) => {
        for (const { name } of requests) {
          if (parts.locks.get(name)?.lockedBy === 'jvm-host') parts.locks.delete(name)
        }
        return parts.right.acquire(requests)
      },
    }),
  },
  {
    defect: 'never takes over what ShedLock left',
    caughtBy: 'loses a lock to us when its lease is over',
    broken: acquiring(({ name }, parts) => {
      if (parts.locks.get(name)?.lockedBy === 'jvm-host') write(parts, name, { lockUntil: parts.now() + 1_000 })
      return {}
    }),
  },
  {
    defect: 'knows its owner by a field of its own, which ShedLock does not write',
    caughtBy: 'that takes over a lease of ours which lapsed is safe from us, and our tick and token stay',
    broken: (parts) => {
      const owners = new Map<string, string>()
      return {
        acquire: async (requests) => {
          const answers = await acquireAll(parts.right, requests)
          for (const [index, request] of requests.entries()) {
            if (answers[index]?.granted) owners.set(request.name, holderOf(request))
          }
          return answers
        },
        release: (requests) => {
          for (const { name } of requests) write(parts, name, { lockedBy: owners.get(name) ?? '' })
          return parts.right.release(requests)
        },
      }
    },
  },
]

export const upkeep: readonly Mutant[] = [...keeping, ...living, ...sharing]
