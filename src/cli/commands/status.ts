import type { Command } from 'commander'
import type { StorePlan } from '../../config/store.ts'
import type { Cli } from '../cli.ts'
import { EXIT } from '../exit-codes.ts'
import type { LockStatus } from '../locks.ts'
import type { Action } from '../program.ts'
import { chooseStores, type StoreOption, storeOption } from '../store-option.ts'

interface StatusOptions extends StoreOption {
  readonly watch?: boolean
  readonly json?: boolean
}

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  storeOption(command.argument('[name...]', 'only the locks of these names'))
    .description(
      'Shows every lock of the stores: who has it, since when, until when, the last tick and the fencing token. Times are by the clock of the store.',
    )
    .option('-w, --watch', 'go on, every second, until it is ended')
    .option('--json', 'as JSON; with --watch, one line each second')
    .addHelpText('after', HELP)
    .action((names: string[], options: StatusOptions) => choose(() => status(cli, names, options)))
}

const HELP = `
States: held; kept (released, but --lock-at-least-for is not over); crashed (the lease lapsed and nobody had released); free.

Examples:
  ticklock status
  ticklock status nightly-backup --watch
  ticklock status --json | jq '.locks[] | select(.state == "held")'
  ticklock status --store redis://localhost

Exit codes: 0 well, 69 a store failed.
`

async function status(cli: Cli, names: readonly string[], options: StatusOptions): Promise<number> {
  const stores = await chooseStores(cli, options)
  if (!options.watch) {
    const locks = await read(stores, names)
    if (options.json) cli.printJson({ locks })
    else cli.print(await show(cli, locks, stores))
    return EXIT.ok
  }
  const { untilStopped } = await import('../until-stopped.ts')
  await untilStopped(
    1_000,
    async () => {
      const locks = await read(stores, names)
      if (options.json) return cli.print(JSON.stringify({ locks }))
      const text = await show(cli, locks, stores)
      const head = cli.colors.dim(
        `${new Date().toTimeString().slice(0, 8)}  ${stores.map(({ shown }) => shown).join(', ')}  (Ctrl-C ends)`,
      )
      // To the top, each line to its end, then all that is below.
      cli.write(
        cli.isTerminal ? `\x1b[H${`${head}\n\n${text}`.replaceAll('\n', '\x1b[K\n')}\x1b[K\n\x1b[J` : `${text}\n\n`,
      )
    },
    cli.isTerminal && !options.json ? () => cli.write('\x1b[2J') : undefined,
  )
  return EXIT.ok
}

async function read(stores: readonly StorePlan[], names: readonly string[]): Promise<LockStatus[]> {
  const { readLocks } = await import('../locks.ts')
  return (await Promise.all(stores.map((store) => readLocks(store, names.length > 0 ? names : undefined)))).flat()
}

async function show(cli: Cli, locks: readonly LockStatus[], stores: readonly StorePlan[]): Promise<string> {
  if (locks.length === 0) return `no locks in ${stores.map(({ shown }) => shown).join(', ')}`
  const { table } = await import('../table.ts')
  const { clockTime, relative } = await import('../../words/words.ts')
  const { green, yellow, red, dim } = cli.colors
  const paint = { held: green, kept: yellow, crashed: red, free: dim }
  const several = stores.length > 1
  const rows = locks.map(({ name, store, state, holder, since, until, lastTick, fencingToken, storeTime }) => {
    const taken = state === 'held' || state === 'kept'
    return [
      name,
      paint[state](state),
      taken ? holder : dim(holder),
      relative(since.getTime(), storeTime.getTime()),
      taken ? relative(until.getTime(), storeTime.getTime()) : dim('–'),
      lastTick ? clockTime(lastTick.getTime(), undefined) : dim('–'),
      String(fencingToken),
      ...(several ? [store] : []),
    ]
  })
  const heads = ['LOCK', 'STATE', 'HOLDER', 'SINCE', 'UNTIL', 'LAST TICK', 'TOKEN', ...(several ? ['STORE'] : [])]
  return table(cli, heads, rows)
}
