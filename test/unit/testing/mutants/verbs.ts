import type { Parts } from '../breakable-store.ts'
import { acquiring, type Mutant } from './breaking.ts'

const THOUSAND =
  'of 1,000 requests in which names occur twice and more, the first for each name is granted, answers come in order'
const NAMES =
  'names of any characters, up to 255 of them, are locks of their own, also where only case or accents differ'
const FORCED = 'frees a lock whoever has it; its holder can do nothing any more, and the next token is higher'

/** The verbs that take requests, with another name in place of each. */
const renaming =
  (rename: (name: string) => string) =>
  ({ right }: Parts) => {
    const all = <Request extends { readonly name: string }>(requests: readonly Request[]) =>
      requests.map((request) => ({ ...request, name: rename(request.name) }))
    return {
      acquire: (requests: Parameters<typeof right.acquire>[0]) => right.acquire(all(requests)),
      extend: (requests: Parameters<typeof right.extend>[0]) => right.extend(all(requests)),
      release: (requests: Parameters<typeof right.release>[0]) => right.release(all(requests)),
    }
  }

const forcing: Mutant[] = [
  {
    defect: 'drops the record by a forced release',
    caughtBy: FORCED,
    broken: ({ right, locks }) => ({
      async forceRelease(name) {
        const had = await right.forceRelease(name)
        if (had) locks.delete(name)
        return had
      },
    }),
  },
  {
    defect: 'lets nobody free what lockAtLeastFor keeps',
    caughtBy: 'frees a lock that lockAtLeastFor keeps taken',
    broken: ({ right, locks }) => ({
      forceRelease: async (name) => !locks.get(name)?.lockedBy.endsWith('#released') && right.forceRelease(name),
    }),
  },
  {
    defect: 'says it freed what nobody had',
    caughtBy: 'is answered with false when nobody has the lock, and changes nothing',
    broken: ({ right, locks }) => ({
      forceRelease: async (name) => (await right.forceRelease(name)) || locks.has(name),
    }),
  },
  {
    defect: 'frees names by a pattern',
    caughtBy: 'frees no other name',
    broken: ({ right, locks }) => ({
      async forceRelease(name) {
        const alike = [...locks.keys()].filter((other) => other.slice(0, 4) === name.slice(0, 4))
        return (await Promise.all(alike.map((other) => right.forceRelease(other)))).includes(true)
      },
    }),
  },
]

const batching: Mutant[] = [
  {
    defect: 'answers in the order of the names',
    caughtBy: THOUSAND,
    broken: ({ right }) => ({
      acquire: (requests) => right.acquire([...requests].sort((a, b) => (a.name < b.name ? -1 : 1))),
    }),
  },
  {
    defect: 'answers a name only once',
    caughtBy: 'requests for one name within a batch are decided one after another',
    broken: ({ right }) => ({
      acquire: (requests) => right.acquire([...new Map(requests.map((each) => [each.name, each])).values()]),
    }),
  },
  {
    defect: 'takes the first duration of a batch for all',
    caughtBy: 'requests of a batch keep their own durations and ticks, in extensions and releases',
    broken: ({ right }) => ({
      extend: (requests) =>
        right.extend(requests.map((each) => ({ ...each, lockAtMostFor: requests[0]?.lockAtMostFor ?? 0 }))),
    }),
  },
  {
    defect: 'refuses a whole batch for one tick that is too far ahead',
    caughtBy: 'each request gets the answer that it would get alone',
    broken: ({ right, now }) => ({
      acquire: async (requests) =>
        requests.some(({ tick, maxClockSkew }) => tick !== undefined && tick > now() + maxClockSkew)
          ? requests.map(() => ({ granted: false, reason: 'clock-ahead', storeTime: now() }))
          : right.acquire(requests),
    }),
  },
  {
    defect: 'deadlocks when two batches come in opposite orders',
    caughtBy: 'batches in opposite orders from several nodes at once neither deadlock nor fail',
    broken: ({ right }) => {
      let last: string | undefined
      return {
        async acquire(requests) {
          const order = requests.length > 1 ? requests[0]?.name : undefined
          const clash = order !== undefined && last !== undefined && last !== order
          last = order
          await new Promise((resolve) => setImmediate(resolve))
          last = undefined
          if (clash) throw new Error('deadlock detected')
          return right.acquire(requests)
        },
      }
    },
  },
  {
    defect: 'cannot make a statement of an empty batch',
    caughtBy: 'an empty batch is answered with an empty one',
    broken: ({ right }) => ({
      async release(requests) {
        if (requests.length === 0) throw new Error('syntax error at or near ")"')
        return right.release(requests)
      },
    }),
  },
]

const texts: Mutant[] = [
  { defect: 'takes upper for lower case', caughtBy: NAMES, broken: renaming((name) => name.toLowerCase()) },
  {
    defect: 'takes é for e',
    caughtBy: NAMES,
    broken: renaming((name) => name.normalize('NFD').replace(/\p{M}/gu, '')),
  },
  { defect: 'composes characters', caughtBy: NAMES, broken: renaming((name) => name.normalize('NFC')) },
  { defect: 'cuts names', caughtBy: NAMES, broken: renaming((name) => name.slice(0, 254)) },
  {
    defect: 'reads names as paths into a document',
    caughtBy: 'a name of any characters is read, freed by force, and asked for alone',
    broken: ({ right }) => ({
      read: (names) => right.read(names?.filter((name) => !/[.$]/.test(name))),
    }),
  },
  {
    defect: 'takes values that begin with $ for names of fields',
    caughtBy: 'labels and metadata of any characters are kept as they are',
    broken: acquiring(({ metadata }) => (metadata?.startsWith('$') ? { metadata: undefined } : {})),
  },
  {
    defect: 'keeps metadata of an earlier grant',
    caughtBy: 'metadata is that of the last grant, and an empty label or text is one, too',
    broken: acquiring(({ name, metadata }, { locks }) => ({ metadata: metadata ?? locks.get(name)?.metadata })),
  },
]

export const verbs: readonly Mutant[] = [...forcing, ...batching, ...texts]
