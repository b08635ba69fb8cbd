import type { LockProvider, PauseRequest } from '../../../../src/provider/contract.ts'
import type { Break, Parts } from '../breakable-store.ts'
import { acquiring, after, isGrant, type Mutant, write } from './breaking.ts'

/** A provider whose pause does something else, given what the right one answered. */
const pausing =
  (change: (request: PauseRequest, changed: boolean, parts: Parts) => boolean | undefined): Break =>
  (parts) => ({
    async setPaused(request) {
      const changed = await rightly(parts.right, request)
      return change(request, changed, parts) ?? changed
    },
  })

const rightly = async (right: LockProvider, request: PauseRequest): Promise<boolean> =>
  (await right.setPaused?.(request)) === true

export const pauses: readonly Mutant[] = [
  {
    defect: 'takes no notice of a pause',
    caughtBy: 'refuses each tick of a name to every node, and grants what is asked for without one',
    broken: pausing(({ name }, _, parts) => void write(parts, name, { paused: false })),
  },
  {
    defect: 'refuses a paused name also without a tick',
    caughtBy: 'refuses each tick of a name to every node, and grants what is asked for without one',
    broken: ({ right, locks, now }) => ({
      acquire: async (requests) =>
        requests.some(({ name }) => locks.get(name)?.paused)
          ? requests.map(() => ({ granted: false, reason: 'paused', storeTime: now() }))
          : right.acquire(requests),
    }),
  },
  {
    defect: 'forgets a pause when it grants the lock without a tick',
    caughtBy: 'refuses each tick of a name to every node, and grants what is asked for without one',
    broken: after('acquire', ({ name }, answer, parts) => {
      if (isGrant(answer)) write(parts, name, { paused: false })
    }),
  },
  {
    defect: 'cannot pause a name that was never used',
    caughtBy: 'may be done before a name was ever used, and is read by every node',
    broken: ({ right, locks }) => ({
      setPaused: async (request) => locks.has(request.name) && rightly(right, request),
    }),
  },
  {
    defect: 'does not read whether a name is paused',
    caughtBy: 'may be done before a name was ever used, and is read by every node',
    broken: ({ right }) => ({
      read: async (names) => (await right.read(names)).map((record) => ({ ...record, paused: undefined })),
    }),
  },
  {
    defect: 'says each time that it changed something',
    caughtBy: 'answers whether it changed anything',
    broken: pausing(() => true),
  },
  {
    defect: 'owes the ticks of the pause',
    caughtBy: 'ends with a resume: the ticks up to it are over, and the next one is granted',
    broken: pausing(({ name, paused }, _, parts) => {
      if (!paused) write(parts, name, { lastTick: undefined, tickDone: false })
      return undefined
    }),
  },
  {
    defect: 'leaves a crashed tick to be rerun after a pause',
    caughtBy: 'ends the tick of a crashed holder, and keeps a tick that lies ahead',
    broken: ({ right, locks }) => ({
      async setPaused(request) {
        const before = locks.get(request.name)
        const changed = await rightly(right, request)
        if (before && !request.paused) locks.set(request.name, { ...before, paused: false })
        return changed
      },
    }),
  },
  {
    defect: 'forgets a tick that lies ahead when it resumes',
    caughtBy: 'ends the tick of a crashed holder, and keeps a tick that lies ahead',
    broken: pausing(({ name, paused }, _, parts) => {
      if (!paused) write(parts, name, { lastTick: Math.floor(parts.now()), tickDone: true })
      return undefined
    }),
  },
  {
    defect: 'frees the lock when it pauses',
    caughtBy: 'takes no lease from its holder, nor the answer from one who asks again',
    broken: pausing(({ name, paused }, _, parts) => {
      if (paused) write(parts, name, { lockUntil: parts.now() })
      return undefined
    }),
  },
  {
    defect: 'resumes by a release',
    caughtBy: 'takes no lease from its holder, nor the answer from one who asks again',
    broken: after('release', ({ name }, _, parts) => write(parts, name, { paused: false })),
  },
  {
    defect: 'prunes what is paused',
    caughtBy: 'outlives a forced release and pruning',
    broken: (parts) => ({
      prune: (olderThanMs) => {
        for (const { name } of parts.locks.values()) write(parts, name, { paused: false })
        return parts.right.prune(olderThanMs)
      },
    }),
  },
  {
    defect: 'pauses all names',
    caughtBy: 'pauses that name alone, also when it reads like a pattern or a field',
    broken: acquiring(({ name }, parts) => {
      if ([...parts.locks.values()].some(({ paused }) => paused)) {
        if (parts.locks.has(name)) write(parts, name, { paused: true })
        else void parts.right.setPaused?.({ name, paused: true })
      }
      return {}
    }),
  },
  {
    defect: 'decides first and writes later, whatever was paused meanwhile',
    caughtBy: 'and an acquisition at the same time: after the answer no tick is granted',
    broken: ({ right, locks }) => ({
      async acquire(requests) {
        const paused = requests.map(({ name }) => locks.get(name)?.paused === true)
        await new Promise((resolve) => setTimeout(resolve, 2))
        for (const [index, { name }] of requests.entries()) {
          const lock = locks.get(name)
          if (lock && !paused[index]) locks.set(name, { ...lock, paused: false })
        }
        return right.acquire(requests)
      },
    }),
  },
]
