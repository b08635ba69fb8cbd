import { type Duration, show } from '../../duration.ts'
import { InvalidOptionError, LockNotHeldError } from '../../errors.ts'
import type { Lock } from '../../lock/lock.ts'
import { checkLockOptions } from '../../lock/lock-options.ts'
import { checkLocker } from '../../locked/options.ts'
import { keepAlive } from '../../locker/keep-alive.ts'
import type { Locker } from '../../locker/locker.ts'
import { checkBoolean, checkKeys } from '../../options.ts'

export interface CoordinatorOptions {
  readonly locker: Locker
  /** The lease's length. @default the task's `distributedLease`, which node-cron has at 30 s */
  readonly lockAtMostFor?: Duration | undefined
  /** The lock stays taken for at least so long from the election. @default 0 */
  readonly lockAtLeastFor?: Duration | undefined
  /**
   * Renew the lease at a third of its length until the task ends. A background task whose process dies without a word is renewed for as long as
   * this one lives.
   * @default false
   */
  readonly keepAlive?: boolean | undefined
}

/** node-cron's interface of a coordinator. */
export interface RunCoordinator {
  shouldRun(key: string, ttlMs: number): Promise<boolean>
  onComplete(key: string): Promise<void>
}

/** A slot that this process was elected for. */
interface Elected {
  readonly key: string
  readonly lock: Lock
  readonly stopRenewal: () => void
}

/**
 * Elects one node for each slot of node-cron's tasks that have `distributed: true`, by the lock of the task's name. The slot is the tick: it
 * stays taken when the task has ended, so that a node that comes late does not run it again.
 *
 * @example
 * setRunCoordinator(ticklockCoordinator({ locker }))
 *
 * @throws {InvalidOptionError} for a wrong option. `shouldRun` rejects with `StoreError` when the store fails: node-cron then skips and logs it.
 * `onComplete` rejects with `LockNotHeldError` when the lease was over before the task: node-cron logs it.
 */
export function ticklockCoordinator(options: CoordinatorOptions): RunCoordinator {
  const of = 'ticklockCoordinator'
  checkKeys(options, ['locker', 'lockAtMostFor', 'lockAtLeastFor', 'keepAlive'], of)
  const locker = checkLocker(options.locker, of)
  const { lockAtMostFor, lockAtLeastFor, keepAlive: renew = false } = options
  checkBoolean(renew, of, 'keepAlive')
  if (lockAtMostFor !== undefined) checkLockOptions(of, { lockAtMostFor, lockAtLeastFor })
  const elected = new Map<string, Elected>()
  void warnOfNodeCronWithout()

  return {
    async shouldRun(key, ttlMs) {
      const { name, tick } = slotOf(key)
      const lock = await locker.tryObtain(name, { lockAtMostFor: lockAtMostFor ?? ttlMs, lockAtLeastFor, tick })
      if (!lock) return false
      // One that is elected anew has lost the lease before, or has released it.
      elected.get(name)?.stopRenewal()
      elected.set(name, { key, lock, stopRenewal: renew ? keepAlive(lock) : () => {} })
      return true
    },
    async onComplete(key) {
      const { name } = slotOf(key)
      const own = elected.get(name)
      if (own?.key !== key) throw new LockNotHeldError(name, 'its lease was over before the task')
      elected.delete(name)
      own.stopRenewal()
      await own.lock.release()
    },
  }
}

/**
 * node-cron's keys are the task's name and the slot's time in ISO 8601, with a colon between.
 *
 * @throws {InvalidOptionError} for a key without a time: the lock alone would let each node run the slot, one after the other.
 */
function slotOf(key: string): { readonly name: string; readonly tick: Date } {
  const [, name, time] = /^(.*):(\d{4}-\d\d-\d\dT[\d:.]+Z)$/s.exec(key) ?? []
  if (name !== undefined && time !== undefined) return { name, tick: new Date(time) }
  throw new InvalidOptionError(
    `ticklockCoordinator: the key of a slot must be a task's name and a time, as node-cron 4.4 and later make it, but is ${show(key)}`,
  )
}

/** node-cron before 4.4 has no coordinators: it ignores `distributed` and `runCoordinator`, and each node runs each slot. */
async function warnOfNodeCronWithout(): Promise<void> {
  // In a variable, so that neither the compiler nor a bundler looks for a package that most users don't have.
  const name: string = 'node-cron'
  const nodeCron = (await import(name).catch(() => undefined)) as Record<string, unknown> | undefined
  if (!nodeCron || 'setRunCoordinator' in nodeCron) return
  process.emitWarning(
    'ticklockCoordinator: the installed node-cron has no coordinators, so each node runs each slot: run "npm install node-cron@4", or wrap the function with locked of ticklock/node-cron',
    { type: 'TicklockWarning', code: 'TICKLOCK_NO_COORDINATOR' },
  )
}
