import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { type ConfigOption, configOption } from '../config-option.ts'
import { pauseOrResume } from '../pause-or-resume.ts'

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  configOption(command.argument('<job>', "the job's name"))
    .description('Resumes a paused job. The ticks up to now are over: nothing brings them back.')
    .addHelpText('after', HELP)
    .action((name: string, options: ConfigOption) => choose(() => pauseOrResume(cli, name, false, options)))
}

const HELP = `
Examples:
  ticklock resume nightly-backup

Exit codes: 0 it is not paused, 1 there is no such job, 69 the store failed.
`
