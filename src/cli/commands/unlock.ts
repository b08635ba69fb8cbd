import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { UsageError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import type { LockStatus, UnreadableLock } from '../locks.ts'
import { type StoreOption, storeOption } from '../store-option.ts'

interface UnlockOptions extends StoreOption {
  readonly yes?: boolean
}

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  storeOption(command.argument('<name>', "the lock's name"))
    .description(
      'Takes a lock from whoever has it, after showing who that is. The run under way is not ended by that: its signal aborts when it next renews or releases. Fencing token and last tick stay.',
    )
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', HELP)
    .action((name: string, options: UnlockOptions) => choose(() => unlock(cli, name, options)))
}

const HELP = `
Examples:
  ticklock unlock nightly-backup
  ticklock unlock nightly-backup --yes --store production

Exit codes: 0 the lock is free, 1 there is no such lock, or the answer was no, 69 the store failed.
`

async function unlock(cli: Cli, name: string, options: UnlockOptions): Promise<number> {
  const { findLock } = await import('../find-lock.ts')
  const { withStore } = await import('../locks.ts')
  const { store, lock } = await findLock(cli, name, options)
  if (lock.state === 'free' || lock.state === 'crashed') {
    cli.print(`${name} is free: nobody has it`)
    return EXIT.ok
  }
  await showLock(cli, lock)
  if (!options.yes && !(await confirmed(cli))) {
    cli.tell('left as it is')
    return EXIT.failed
  }
  const freed = await withStore(store, (provider) => provider.forceRelease(name))
  cli.print(freed ? `${cli.colors.green('✓')} ${name} is free` : `${name} was free by then`)
  return EXIT.ok
}

async function showLock(cli: Cli, lock: LockStatus | UnreadableLock): Promise<void> {
  if (lock.state === 'unreadable') {
    const { plain } = await import('../table.ts')
    cli.tell(plain(lock.problem))
    return cli.tell('Unlocking it also repairs the record.')
  }
  const { name, state, holder, since, until, metadata, storeTime } = lock
  const { relative } = await import('../../format/format.ts')
  const now = storeTime.getTime()
  const what =
    state === 'kept' ? `is kept for ${holder}, which has released it (lockAtLeastFor)` : `is held by ${holder}`
  cli.tell(`${cli.errorColors.bold(name)} ${what}`)
  cli.tell(`  since ${since.toISOString()} (${relative(since.getTime(), now)})`)
  cli.tell(`  until ${until.toISOString()} (${relative(until.getTime(), now)}), unless it is renewed`)
  if (metadata !== undefined) cli.tell(`  ${metadata}`)
  if (state === 'held') cli.tell(cli.errorColors.yellow('If it still works there, another node may begin beside it.'))
}

async function confirmed(cli: Cli): Promise<boolean> {
  if (!cli.canAsk) throw new UsageError('there is no terminal to ask at: say --yes')
  const prompt = createInterface({ input: cli.stdin, output: process.stderr })
  const ended = new AbortController()
  prompt.once('SIGINT', () => ended.abort()).once('close', () => ended.abort())
  try {
    return /^y(es)?$/i.test((await prompt.question('Take it away? [y/N] ', { signal: ended.signal })).trim())
  } catch {
    return false
  } finally {
    prompt.close()
  }
}
