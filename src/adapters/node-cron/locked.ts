import { type LockedFunction, lockedBy } from '../../locked/locked.ts'

/** What node-cron hands to a task, as far as it is used here. */
interface TaskContext {
  readonly date?: unknown
  readonly execution?: { readonly reason?: unknown } | undefined
}

/**
 * `locked` for node-cron 4: the task's slot, which node-cron tells the task, is the tick, so that each slot runs once in the whole cluster. A
 * task that is executed by hand (`task.execute()`) is for no tick, and is only under the lock.
 *
 * @example
 * cron.schedule('0 2 * * *', locked({ locker, name: 'report', lockAtMostFor: '10m' }, report))
 */
export const locked: LockedFunction = lockedBy((_, [context]) => {
  const { date, execution } = (context ?? {}) as TaskContext
  return date instanceof Date && execution?.reason !== 'invoked' ? date : undefined
})
