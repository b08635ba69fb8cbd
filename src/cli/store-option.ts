import type { Command } from 'commander'
import { readStore, type StorePlan } from '../config/store.ts'
import { schemeOf } from '../config/store-kinds.ts'
import type { Cli } from './cli.ts'
import { type ConfigOption, configOption, loadPlan } from './config-option.ts'
import { UsageError } from './errors.ts'

export interface StoreOption extends ConfigOption {
  readonly store?: string
}

export const storeOption = (command: Command): Command =>
  configOption(command).option(
    '-s, --store <url|name>',
    "the store's URL, or its name in the config (default: $TICKLOCK_STORE, or else the config's stores)",
  )

/**
 * The stores that are meant: the URL given, the one of that name in the config, `$TICKLOCK_STORE`, or all of the config. The environment is the place for a URL with a
 * password: arguments can be seen by every user of the machine.
 */
export async function chooseStores(cli: Cli, options: StoreOption): Promise<readonly StorePlan[]> {
  const { store, config } = options
  const url = store ?? (config === undefined ? cli.environment.TICKLOCK_STORE : undefined)
  if (url !== undefined && schemeOf(url) !== undefined) {
    cli.secrets.add(url)
    return [readStore('default', url, cli.cwd)]
  }
  const { stores } = await loadPlan(cli, options)
  if (store === undefined) return stores
  const named = stores.find(({ name }) => name === store)
  if (named) return [named]
  const { suggestion } = await import('../config/nearest.ts')
  const names = stores.map(({ name }) => name)
  throw new UsageError(
    `--store: the config has no store ${JSON.stringify(store)}${suggestion(store, names, 'its stores are')}`,
  )
}

/** As {@link chooseStores}, where one is needed. */
export async function chooseStore(cli: Cli, options: StoreOption): Promise<StorePlan> {
  const stores = await chooseStores(cli, options)
  const usual = stores.length === 1 ? stores[0] : stores.find(({ name }) => name === 'default')
  if (usual) return usual
  throw new UsageError(
    `--store: say which of the config's stores is meant: ${stores.map(({ name }) => name).join(', ')}`,
  )
}
