import { acquireAll } from '../../../../src/testing/requests.ts'
import { acquiring, after, isGrant, type Mutant, write } from './breaking.ts'

export const ticks: readonly Mutant[] = [
  {
    defect: 'takes no notice of ticks',
    caughtBy:
      'a tick that was granted and released is refused to everyone, and so is an earlier one; a later one is granted',
    broken: acquiring(() => ({ tick: undefined })),
  },
  {
    defect: 'refuses only the last tick, and not an earlier one',
    caughtBy:
      'a tick that was granted and released is refused to everyone, and so is an earlier one; a later one is granted',
    broken: acquiring(({ name, tick }, { locks }) => {
      const last = locks.get(name)?.lastTick
      return tick !== undefined && last !== undefined && tick < last ? { tick: last + 1 } : {}
    }),
  },
  {
    defect: 'forgets the tick when the lock is released',
    caughtBy:
      'a tick that was granted and released is refused to everyone, and so is an earlier one; a later one is granted',
    broken: after('release', ({ name }, _, parts) => write(parts, name, { lastTick: undefined })),
  },
  {
    defect: 'forgets the tick when it grants the lock without one',
    caughtBy: 'the record keeps the last tick granted, also over grants that take no tick',
    broken: after('acquire', (request, _, parts) => {
      if (!('tick' in request)) write(parts, request.name, { lastTick: undefined })
    }),
  },
  {
    defect: 'calls a taken tick held while its holder works',
    caughtBy: 'a tick is refused as taken also while its holder still has the lock',
    broken: ({ right, locks, now }) => ({
      acquire: async (requests) =>
        (await acquireAll(right, requests)).map((answer) =>
          !answer.granted && (locks.get(answer.record?.name ?? '')?.lockUntil ?? 0) > now()
            ? { ...answer, reason: 'held' as const }
            : answer,
        ),
    }),
  },
  {
    defect: 'takes any tick, however far ahead',
    caughtBy: 'a tick further ahead of the clock than maxClockSkew is refused, and leaves no trace',
    broken: acquiring(() => ({ maxClockSkew: Number.MAX_SAFE_INTEGER })),
  },
  {
    defect: 'is 50 ms too generous with ticks that are ahead',
    caughtBy: 'a tick ahead of the clock by less than maxClockSkew is granted, at the bound exactly',
    broken: acquiring(({ maxClockSkew }) => ({ maxClockSkew: maxClockSkew + 50 })),
  },
  {
    defect: 'is too strict with ticks that are ahead',
    caughtBy: 'a tick ahead of the clock by less than maxClockSkew is granted, at the bound exactly',
    broken: acquiring(({ maxClockSkew }) => ({ maxClockSkew: maxClockSkew - 1_000 })),
  },
  {
    defect: 'reruns a crashed tick for everyone',
    caughtBy: 'a tick whose holder crashed is over, unless the job wants it rerun',
    broken: acquiring(() => ({ onCrash: 'rerun' })),
  },
  {
    defect: 'writes into the record what it refuses',
    caughtBy: 'a refusal of a tick changes nothing in the store',
    broken: after('acquire', (request, answer, parts) => {
      if (!isGrant(answer)) write(parts, request.name, { metadata: 'asked' })
    }),
  },
]
