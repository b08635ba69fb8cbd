import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { type ConfigOption, configOption, loadPlan } from '../config-option.ts'
import { EXIT } from '../exit-codes.ts'
import { wholeNumber } from '../whole-number.ts'

interface NextOptions extends ConfigOption {
  readonly count: number
  readonly json?: boolean
}

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  configOption(command.argument('<job>', "the job's name"))
    .description("Shows the next ticks of a job in the job's time zone. Asks no store.")
    .option('-n, --count <count>', 'how many, from 1 to 1000', wholeNumber(1, 1000), 5)
    .option('--json', 'as JSON')
    .addHelpText('after', HELP)
    .action((name: string, options: NextOptions) => choose(() => next(cli, name, options)))
}

const HELP = `
Examples:
  ticklock next nightly-backup
  ticklock next nightly-backup -n 10
`

async function next(cli: Cli, name: string, options: NextOptions): Promise<number> {
  const { findJob } = await import('../find-job.ts')
  const { nextTicks, tickTime, zoneOf } = await import('../ticks.ts')
  const { relative } = await import('../../format/format.ts')
  const job = await findJob(await loadPlan(cli, options), name)
  const now = Date.now()
  const ticks = nextTicks(job, options.count, now)
  if (options.json) cli.printJson(ticks)
  else if (ticks.length === 0) cli.print('never: the schedule has no tick any more')
  else
    for (const tick of ticks)
      cli.print(`${tickTime(tick, zoneOf(job))}  ${cli.colors.dim(relative(tick.getTime(), now))}`)
  if (!job.enabled) cli.tell(cli.errorColors.yellow(`${name} is disabled: it runs at none of them`))
  return EXIT.ok
}
