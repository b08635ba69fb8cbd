import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { EXIT } from '../exit-codes.ts'
import { chooseStores, type StoreOption, storeOption } from '../store-option.ts'

interface SetupOptions extends StoreOption {
  readonly print?: boolean
}

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  storeOption(command)
    .description(
      'Makes the tables and indexes that the stores need. It may be run any number of times; "ticklock run" does it too.',
    )
    .option('--print', 'print the statements for a migration instead, and open no store')
    .addHelpText('after', HELP)
    .action((options: SetupOptions) => choose(() => setup(cli, options)))
}

const HELP = `
Examples:
  ticklock setup
  ticklock setup --print > migrations/001-ticklock.sql
  ticklock setup --print --store mysql://app@db/app

Exit codes: 0 success, 69 a store failed.
`

async function setup(cli: Cli, options: SetupOptions): Promise<number> {
  const stores = await chooseStores(cli, options)
  for (const store of stores) {
    if (options.print) {
      if (stores.length > 1) cli.print(`-- ${store.name}: ${store.shown}`)
      cli.print(await store.kind.statements(store.options))
      continue
    }
    const { withStore } = await import('../locks.ts')
    await withStore(store, async (provider) => {
      // A store that needs no setup is reached all the same.
      await (provider.setup ? provider.setup() : provider.read(['ticklock']))
      await provider.history?.setup?.()
    })
    cli.print(`${cli.colors.green('✓')} ${store.kind.name} at ${store.shown} is ready`)
  }
  return EXIT.ok
}
