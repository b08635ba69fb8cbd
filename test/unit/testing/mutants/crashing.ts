import type { StoredLock } from '../../../../src/provider/decide.ts'
import type { Break } from '../breakable-store.ts'
import { acquiring, after, isGrant, type Mutant, releasing, write } from './breaking.ts'

export const crashing: readonly Mutant[] = [
  {
    defect: 'never marks a tick as done',
    caughtBy: 'a release marks its tick as done',
    broken: releasing(() => ({ tick: undefined })),
  },
  {
    defect: 'marks whatever tick the record has',
    caughtBy: 'a release marks no tick but its own',
    broken: releasing(({ name }, { locks }) => ({ tick: locks.get(name)?.lastTick })),
  },
  {
    defect: 'takes a release for done when its lease was released before, whatever the tick',
    caughtBy: 'a run that ends after its lease was released without its tick marks it, alone or in a batch',
    broken: releasing(({ name }, { locks }) =>
      locks.get(name)?.lockedBy.endsWith('#released') ? { tick: undefined } : {},
    ),
  },
  {
    defect: 'marks the tick for a run that another reruns',
    caughtBy: 'a run whose lease was released without its tick does not mark the tick that another reruns',
    broken: after('release', ({ name }, answer, parts) => {
      if (answer === false) write(parts, name, { tickDone: true })
    }),
  },
  {
    defect: 'unmarks the tick when it grants the lock without one',
    caughtBy: 'what was done stays done over grants that take no tick',
    broken: after('acquire', (request, answer, parts) => {
      if (isGrant(answer) && !('tick' in request)) write(parts, request.name, { tickDone: false })
    }),
  },
  {
    defect: 'grants a crashed tick to all who want to rerun it',
    caughtBy: 'a crashed tick that is to be rerun is granted to exactly one of many nodes, with a higher token',
    broken: rerunning(() => ({ lockUntil: 0 })),
  },
  {
    defect: 'reruns a tick that still runs',
    caughtBy: 'a tick is not rerun while its holder has an unexpired lease',
    broken: rerunning(() => ({ lockUntil: 0 })),
  },
  {
    defect: 'reruns a tick that was done',
    caughtBy: 'a tick that was done is not rerun, and neither is one that was rerun and done',
    broken: rerunning(() => ({ tickDone: false })),
  },
  {
    defect: 'never reruns',
    caughtBy: 'a crashed tick that is to be rerun is granted to exactly one of many nodes, with a higher token',
    broken: acquiring(() => ({ onCrash: 'skip' })),
  },
]

/** Makes a record look as one that may be rerun, before a rerun is asked for. */
function rerunning(change: (lock: StoredLock) => Partial<StoredLock>): Break {
  return (parts) => ({
    acquire: (requests) => {
      for (const { name, onCrash } of requests) {
        const lock = parts.locks.get(name)
        if (lock && onCrash === 'rerun') write(parts, name, change(lock))
      }
      return parts.right.acquire(requests)
    },
  })
}
