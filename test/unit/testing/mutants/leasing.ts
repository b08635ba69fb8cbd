import { after, extending, type Mutant, releasing, write } from './breaking.ts'

export const leasing: readonly Mutant[] = [
  {
    defect: 'shortens the lease by an extension that was held up',
    caughtBy: 'an extension that was held up on its way does not shorten the lease',
    broken: extending(() => ({ mayShortenUntil: Number.MAX_SAFE_INTEGER })),
  },
  {
    defect: 'never makes a lease shorter',
    caughtBy: 'an extension that arrives in time may make the lease shorter',
    broken: extending(() => ({ mayShortenUntil: undefined })),
  },
  {
    defect: 'extends from the old end and not from now',
    caughtBy: 'an extension lasts from the time at which it is made, and keeps token and time of acquisition',
    broken: extending(({ name, lockAtMostFor }, { locks, now }) => ({
      lockAtMostFor: lockAtMostFor + Math.max(0, (locks.get(name)?.lockUntil ?? 0) - now()),
    })),
  },
  {
    defect: 'forgets lockAtLeastFor when it extends',
    caughtBy: 'an extension never ends the lease before lockAtLeastFor from the acquisition',
    broken: extending(() => ({ lockAtLeastFor: 0 })),
  },
  {
    defect: 'forgets lockAtLeastFor when it releases',
    caughtBy: 'a release keeps the lock taken until lockAtLeastFor from the acquisition, then it is free',
    broken: releasing(() => ({ lockAtLeastFor: 0 })),
  },
  {
    defect: 'counts lockAtLeastFor from the last extension',
    caughtBy: 'lockAtLeastFor counts from the original acquisition, also after extensions',
    broken: after('extend', ({ name }, lease, parts) => lease && write(parts, name, { lockedAt: parts.now() })),
  },
  {
    defect: 'counts lockAtLeastFor from the release',
    caughtBy: 'lockAtLeastFor counts from the original acquisition, also after extensions',
    broken: releasing(({ name, lockAtLeastFor }, { locks, now }) => ({
      lockAtLeastFor: lockAtLeastFor + now() - (locks.get(name)?.lockedAt ?? 0),
    })),
  },
]
