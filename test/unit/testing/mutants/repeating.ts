import { holderOf } from '../../../../src/provider/holder.ts'
import { acquireAll } from '../../../../src/testing/requests.ts'
import type { Break } from '../breakable-store.ts'
import { after, type Mutant, write } from './breaking.ts'

export const repeating: readonly Mutant[] = [
  {
    defect: 'grants the same owner anew',
    caughtBy: 'an acquisition repeated by the same owner gets the same grant: token, time of acquisition, end',
    broken: (parts) => ({
      acquire: (requests) => {
        for (const request of requests) {
          const ours = parts.locks.get(request.name)?.lockedBy === holderOf(request)
          if (ours) write(parts, request.name, { lockUntil: 0 })
        }
        return acquireAll(parts.right, requests)
      },
    }),
  },
  {
    defect: 'refuses the same owner',
    caughtBy: 'the same acquisition sent by several connections at once is one grant',
    broken: ({ right, now }) => {
      const seen = new Set<string>()
      return {
        acquire: async (requests) => {
          const answers = await acquireAll(right, requests)
          return answers.map((answer, index) => {
            const owner = requests[index]?.owner ?? ''
            const again = seen.has(owner)
            if (answer.granted) seen.add(owner)
            return again ? { granted: false, reason: 'held', storeTime: now() } : answer
          })
        },
      }
    },
  },
  {
    defect: 'forgets who released',
    caughtBy: 'late duplicates of requests by an owner that released change nothing, and free nothing',
    broken: after('release', ({ name }, answer, parts) => answer && write(parts, name, { lockedBy: 'nobody' })),
  },
  {
    defect: 'forgets who released while lockAtLeastFor keeps the lock taken',
    caughtBy: 'late duplicates change nothing also while lockAtLeastFor keeps the lock taken',
    broken: (parts) => ({
      release: async (requests) => {
        const before = requests.map(({ name }) => parts.locks.get(name)?.lockedBy)
        const answers = await parts.right.release(requests)
        for (const [index, { name }] of requests.entries()) {
          const lockedBy = before[index]
          const kept = (parts.locks.get(name)?.lockUntil ?? 0) > parts.now()
          if (kept && lockedBy !== undefined) write(parts, name, { lockedBy })
        }
        return answers
      },
    }),
  },
  {
    defect: 'answers a repeated release with false',
    caughtBy: 'a release repeated by the same owner is answered with true and changes nothing',
    broken: ({ right, locks }) => ({
      release: async (requests) => {
        const before = requests.map(({ name }) => locks.get(name)?.lockedBy.endsWith('#released'))
        return (await right.release(requests)).map((freed, index) => freed && !before[index])
      },
    }),
  },
  {
    defect: 'starts tokens from 1',
    caughtBy: 'start from the clock in microseconds, so they go on where a lost record stopped',
    broken: countedTokens(),
  },
  {
    defect: 'gives a lost record tokens that were given before',
    caughtBy:
      'are safe integers that grow by every grant: after a release, an expiry, a forced release, the loss of the record',
    broken: countedTokens(),
  },
]

/** Tokens that are one more than the record's last, and 1 where there is none. */
function countedTokens(): Break {
  return (parts) => ({
    acquire: async (requests) => {
      const before = requests.map(({ name }) => parts.locks.get(name))
      return (await acquireAll(parts.right, requests)).map((answer, index) => {
        if (!answer.granted || before[index]?.fencingToken === answer.lease.fencingToken) return answer
        const fencingToken = (before[index]?.fencingToken ?? 0) + 1
        write(parts, answer.lease.name, { fencingToken })
        return { granted: true, lease: { ...answer.lease, fencingToken } }
      })
    },
  })
}
