import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { EXIT } from '../exit-codes.ts'
import { type StoreOption, storeOption } from '../store-option.ts'

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  storeOption(command.argument('<name>', "the lock's name"))
    .description(
      "Repairs a lock's record. Values that can't be read are replaced, and a last tick in the future becomes the present, done, so that ticks run again. A lease stays: see unlock.",
    )
    .addHelpText('after', HELP)
    .action((name: string, options: StoreOption) => choose(() => reset(cli, name, options)))
}

const HELP = `
Examples:
  ticklock reset nightly-backup
  ticklock reset nightly-backup --store production

Exit codes: 0 the record is in order, 1 there is no such lock, 69 the store failed.
`

async function reset(cli: Cli, name: string, options: StoreOption): Promise<number> {
  const { findLock } = await import('../find-lock.ts')
  const { withStore } = await import('../locks.ts')
  const { plain } = await import('../table.ts')
  const { store, lock } = await findLock(cli, name, options)
  if (lock.state === 'unreadable') cli.tell(plain(lock.problem))
  else if (lock.isAhead) cli.tell(`its last tick is ${lock.lastTick?.toISOString()}, and no tick runs before that`)
  const repaired = await withStore(store, (provider) => provider.reset({ name, maxClockSkew: store.maxClockSkew }))
  cli.print(repaired ? `${cli.colors.green('✓')} ${name} is repaired` : `${name} has nothing to repair`)
  return EXIT.ok
}
