import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { type ConfigOption, configOption } from '../config-option.ts'
import { pauseOrResume } from '../pause-or-resume.ts'

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  configOption(command.argument('<job>', "the job's name"))
    .description(
      'Pauses a job for the whole cluster: every node skips its ticks until it is resumed. A run under way goes on, and "ticklock trigger" still works.',
    )
    .addHelpText('after', HELP)
    .action((name: string, options: ConfigOption) => choose(() => pauseOrResume(cli, name, true, options)))
}

const HELP = `
Examples:
  ticklock pause nightly-backup

Exit codes: 0 it is paused, 1 there is no such job, 69 the store failed.
`
