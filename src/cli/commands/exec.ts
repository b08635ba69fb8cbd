import { type Command, InvalidArgumentError } from 'commander'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { duration } from '../duration-option.ts'
import { UsageError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { type StoreOption, storeOption } from '../store-option.ts'

export interface ExecOptions extends StoreOption {
  readonly lockAtMostFor?: number
  readonly lockAtLeastFor?: number
  /** True: without end. */
  readonly wait?: number | true
  readonly everyTick?: string
  readonly timezone?: string
  readonly keepAlive: boolean
  readonly rerunCrashed?: boolean
  readonly timeout?: number
  readonly killAfter: number
  readonly metadata?: string
  readonly conflictExitCode: number
  readonly quiet?: boolean
}

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  storeOption(
    command
      .usage('[options] <name> -- <command> [args...]')
      .argument('<name>', "the lock's name")
      .argument('[command...]', 'the command and its arguments, after --'),
  )
    .description(
      'Runs a command under a lock, as a job of crontab or of a Kubernetes CronJob that exists once in a cluster.',
    )
    .option(
      '--lock-at-most-for <duration>',
      'the length of the lease: a crashed holder blocks others for at most so long (default: 5m)',
      duration(1),
    )
    .option(
      '--lock-at-least-for <duration>',
      'keep the lock taken for at least so long, even if the command ends sooner',
      duration(0),
    )
    .option('--wait [duration]', 'wait while somebody else has the lock, for at most so long or without end', waitFor)
    .option(
      '--every-tick <tick>',
      'run once per minute, hour, day, or tick of a cron pattern, whichever machine comes first',
    )
    .option('--timezone <zone>', 'the time zone of --every-tick (default: UTC)')
    .option('--rerun-crashed', 'with --every-tick: run a tick again whose first run crashed')
    .option(
      '--no-keep-alive',
      'do not renew the lease while the command runs: then --lock-at-most-for is needed, and it ends the command',
    )
    .option('--timeout <duration>', 'end a command that takes longer', duration(1))
    .option('--kill-after <duration>', 'the time between SIGTERM and SIGKILL', duration(0), 5_000)
    .option('--metadata <text>', 'a text kept in the store with the lock')
    .option('--conflict-exit-code <code>', 'the exit code when the lock was not obtained', exitCode, EXIT.notObtained)
    .option('-q, --quiet', 'say nothing when the lock was not obtained')
    .addHelpText('after', HELP)
    .action((name: string, words: string[], options: ExecOptions) => {
      choose(async () => {
        if (words.length === 0)
          throw new UsageError('there is no command: put it after --, as in ticklock exec backup -- ./backup.sh')
        if (!options.keepAlive && options.lockAtMostFor === undefined)
          throw new UsageError('--no-keep-alive needs --lock-at-most-for: the command is ended when the lease is over')
        const { execUnderLock } = await import('../exec-under-lock.ts')
        return execUnderLock(cli, name, words, options)
      })
    })
}

const HELP = `
The command gets TICKLOCK_JOB, TICKLOCK_SCHEDULED_AT, TICKLOCK_FIRED_AT, TICKLOCK_FENCING_TOKEN and TICKLOCK_LOCK_UNTIL, and this
terminal. Signals are passed on to it. When the lock is lost, it gets SIGTERM, and SIGKILL after --kill-after, with all its children.

Examples:
  ticklock exec backup --lock-at-most-for 10m -- ./backup.sh
  ticklock exec migrate --wait 2m -- npm run migrate
  ticklock exec report --every-tick day --timezone Europe/Berlin -- ./report.sh
  TICKLOCK_STORE=postgres://app@db/app ticklock exec sync --every-tick '*/5 * * * *' -- ./sync.sh

Exit codes: the command's own (128 + n when signal n ended it), 75 when the lock was not obtained (see --conflict-exit-code), 76 when it
was lost, 124 when --timeout was over, 126 and 127 when the command could not be started, 69 when the store failed.
`

const waitFor = (text: string): number => duration(0)(text)

function exitCode(text: string): number {
  const code = Number(text)
  if (/^\d+$/.test(text) && code <= 255) return code
  throw new InvalidArgumentError('It must be a whole number from 0 to 255.')
}
