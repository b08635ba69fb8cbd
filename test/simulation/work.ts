import { isLockNotHeld, isStoreError, type JobContext, type JobWork } from '../../src/index.ts'
import type { Cluster } from './cluster.ts'
import type { Life } from './life.ts'
import type { Random } from './random.ts'
import type { WitnessedRun } from './run.ts'
import type { SimulatedJob } from './scenario.ts'
import { slackOf } from './witness.ts'

/** What a job does: it takes its time, may throw, and may end when its signal aborts. Judged when it begins, when its lease ends, and when it ends. */
export function work(
  { world, witness }: Cluster,
  life: Life,
  { takes, obeys, fails, options }: SimulatedJob,
  random: Random,
): JobWork {
  return async (context) => {
    const kind = life.kinds.get(options.name) ?? ''
    const run = witness.began(context, kind, life, takes > 0)
    if (takes > 0) {
      const length = random.int(1, takes)
      if (length > run.leaseUntil - world.now) watchLease(run)
      await pass(life, length, obeys ? context.signal : undefined)
      await tryStale(run)
    }
    witness.ended(run)
    if (fails && random.chance(0.2)) throw new Error('the job has failed')
  }

  /** Looks again when the lease has ended, for as long as it was extended meanwhile. */
  function watchLease(run: WitnessedRun): void {
    world.after(run.leaseUntil + slackOf(run) + 1 - world.now, () => {
      if (run.endedAt !== undefined || life.clock.dead) return
      if (life.clock.paused) life.clock.deliver(() => world.after(1, () => watchLease(run)))
      else if (run.leaseUntil + slackOf(run) < world.now) witness.judgeLoss(run)
      else watchLease(run)
    })
  }

  /** A stale handle changes nothing and says so. What it asks is judged where the store answers. */
  async function tryStale(run: WitnessedRun): Promise<void> {
    const { lock } = run
    if (!lock || world.now <= run.leaseUntil + slackOf(run) || random.chance(0.7)) return
    try {
      await lock.refresh()
      witness.violate('only the owner', `${life.node} refreshed ${run.job} after its lease had ended`)
    } catch (error) {
      if (!isLockNotHeld(error) && !isStoreError(error))
        witness.violate('only the owner', `a stale handle of ${run.job} said: ${String(error)}`)
    }
  }
}

/** Resolves after so many ms of the node's time, or when the signal aborts. */
function pass({ clock }: Life, ms: number, signal: JobContext['signal'] | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(ms, resolve)
    signal?.addEventListener('abort', () => {
      timer.cancel()
      resolve()
    })
    if (signal?.aborted) resolve()
  })
}
