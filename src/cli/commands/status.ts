import type { Command } from 'commander'
import type { StorePlan } from '../../config/store.ts'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { EXIT } from '../exit-codes.ts'
import type { ShownLocks } from '../shown-locks.ts'
import { chooseStores, type StoreOption, storeOption } from '../store-option.ts'
import { wholeNumber } from '../whole-number.ts'

interface StatusOptions extends StoreOption {
  readonly watch?: boolean
  readonly json?: boolean
  readonly limit?: number
}

const USUAL_LIMIT = 200
const NOTHING_KNOWN = ['–', '–', '–', '–', '–']

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  storeOption(command.argument('[name...]', 'only the locks of these names'))
    .description(
      'Shows every lock of the stores: who has it, since when, until when, the last tick and the fencing token. Times are by the clock of the store.',
    )
    .option('-w, --watch', 'go on, every second, until it is ended')
    .option(
      '--limit <n>',
      `the most locks to show; ${USUAL_LIMIT} without names and --json`,
      wholeNumber(1, 10_000_000),
    )
    .option('--json', 'as JSON; with --watch, one line each second')
    .addHelpText('after', HELP)
    .action((names: string[], options: StatusOptions) => choose(() => status(cli, names, options)))
}

const HELP = `
States: held; kept (released, but --lock-at-least-for is not over); crashed (the lease expired and nobody had released); free;
unreadable (the record has values that no lock can have; "ticklock reset NAME" repairs it). Crashed and unreadable ones come first.

Examples:
  ticklock status
  ticklock status nightly-backup --watch
  ticklock status --json | jq '.locks[] | select(.state == "held")'
  ticklock status --store redis://localhost

Exit codes: 0 success, 69 a store failed.
`

async function status(cli: Cli, names: readonly string[], options: StatusOptions): Promise<number> {
  const stores = await chooseStores(cli, options)
  if (!options.watch) {
    const locks = await read(stores, names, options)
    if (options.json) cli.printJson({ locks: locks.locks })
    else cli.print(await show(cli, locks, stores))
    return EXIT.ok
  }
  const { untilStopped } = await import('../until-stopped.ts')
  await untilStopped(
    1_000,
    async () => {
      const locks = await read(stores, names, options)
      if (options.json) return cli.print(JSON.stringify({ locks: locks.locks }))
      const text = await show(cli, locks, stores)
      const head = cli.colors.dim(
        `${new Date().toTimeString().slice(0, 8)}  ${stores.map(({ shown }) => shown).join(', ')}  (Ctrl-C ends)`,
      )
      if (cli.isTerminal) cli.repaint(`${head}\n\n${text}`)
      else cli.write(`${text}\n\n`)
    },
    cli.isTerminal && !options.json ? () => cli.clear() : undefined,
  )
  return EXIT.ok
}

async function read(
  stores: readonly StorePlan[],
  names: readonly string[],
  options: StatusOptions,
): Promise<ShownLocks> {
  const { readLocks } = await import('../locks.ts')
  const { shownLocks } = await import('../shown-locks.ts')
  const all = (await Promise.all(stores.map((store) => readLocks(store, names.length > 0 ? names : undefined)))).flat()
  const isComplete = options.json || names.length > 0
  return shownLocks(all, options.limit ?? (isComplete ? all.length : USUAL_LIMIT))
}

async function show(cli: Cli, shown: ShownLocks, stores: readonly StorePlan[]): Promise<string> {
  const { locks, cut } = shown
  if (locks.length === 0) return `no locks in ${stores.map((store) => store.shown).join(', ')}`
  const { plain, table } = await import('../table.ts')
  const several = stores.length > 1
  const { clockTime, relative } = await import('../../format/format.ts')
  const { green, yellow, red, dim } = cli.colors
  const paint = { held: green, kept: yellow, crashed: red, free: dim }
  const rows = locks.map((lock) => {
    const store = several ? [lock.store] : []
    if (lock.state === 'unreadable') return [lock.name, red(lock.state), ...NOTHING_KNOWN.map(dim), ...store]
    const { name, state, holder, since, until, lastTick, fencingToken, storeTime } = lock
    const taken = state === 'held' || state === 'kept'
    return [
      name,
      paint[state](state),
      taken ? holder : dim(holder),
      relative(since.getTime(), storeTime.getTime()),
      taken ? relative(until.getTime(), storeTime.getTime()) : dim('–'),
      lastTick ? clockTime(lastTick.getTime(), undefined) : dim('–'),
      String(fencingToken),
      ...store,
    ]
  })
  const heads = ['LOCK', 'STATE', 'HOLDER', 'SINCE', 'UNTIL', 'LAST TICK', 'TOKEN', ...(several ? ['STORE'] : [])]
  const problems = locks.flatMap((lock) => (lock.state === 'unreadable' ? [red(plain(lock.problem))] : []))
  const { whatWasCut } = await import('../shown-locks.ts')
  return [table(cli, heads, rows), ...problems, ...(cut.length > 0 ? [dim(whatWasCut(shown))] : [])].join('\n')
}
