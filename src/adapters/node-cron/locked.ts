import { type LockedFunction, lockedBy } from '../../locked/locked.ts'

/** What node-cron 4 hands to a task, as far as it is used here. */
interface TaskContext {
  readonly date?: unknown
  readonly execution?: { readonly reason?: unknown } | undefined
}

/**
 * `locked` for node-cron 4: the task's slot, which node-cron tells the task, is the tick, so that each slot runs once in the whole cluster. A
 * task that is executed by hand (`task.execute()`) is for no tick, and is only under the lock. Any other call is refused, unless the options
 * name its tick: node-cron 2 and 3 tell neither their pattern nor the slot, and need the option `cron` (and `timezone`).
 *
 * @example
 * cron.schedule('0 2 * * *', locked({ locker, name: 'report', lockAtMostFor: '10m' }, report))
 */
export const locked: LockedFunction = lockedBy((_, [context]) => {
  // node-cron 3 calls so by `task.now()` and at the start of a task with `runOnInit`.
  if (context === 'manual' || context === 'init') return 'by-hand'
  const { date, execution } = (context ?? {}) as TaskContext
  if (execution?.reason === 'invoked') return 'by-hand'
  return date instanceof Date && execution ? date : undefined
})
