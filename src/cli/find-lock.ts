import type { StorePlan } from '../config/store.ts'
import type { Cli } from './cli.ts'
import { Failure, UsageError } from './errors.ts'
import { type LockStatus, readLocks, type UnreadableLock } from './locks.ts'
import { chooseStores, type StoreOption } from './store-option.ts'

/**
 * The lock of that name, and its store.
 *
 * @throws {Failure} when no store has it; the message suggests a name.
 * @throws {UsageError} when several stores have it.
 */
export async function findLock(
  cli: Cli,
  name: string,
  options: StoreOption,
): Promise<{ readonly store: StorePlan; readonly lock: LockStatus | UnreadableLock }> {
  const stores = await chooseStores(cli, options)
  const looked = await Promise.all(stores.map(async (store) => ({ store, lock: (await readLocks(store, [name]))[0] })))
  const found = looked.flatMap(({ store, lock }) => (lock ? [{ store, lock }] : []))
  if (found.length > 1)
    throw new UsageError(
      `--store: ${found.map(({ store }) => store.name).join(' and ')} have a lock of that name; say which is meant`,
    )
  const [only] = found
  if (only) return only
  const { suggestion } = await import('../config/nearest.ts')
  const names = (await Promise.all(stores.map((store) => readLocks(store)))).flat().map((lock) => lock.name)
  throw new Failure(`there is no lock ${JSON.stringify(name)}${suggestion(name, names.slice(0, 20), 'the locks are')}`)
}
