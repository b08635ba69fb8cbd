import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { EXIT } from '../exit-codes.ts'
import { type StoreOption, storeOption } from '../store-option.ts'

interface DoctorOptions extends StoreOption {
  readonly json?: boolean
}

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  storeOption(command)
    .description(
      'Checks whether all is well here: versions, config, and for each store driver, reachability, rights and clock. Each line is ok, a warning or a failure, with what to do. It writes nothing.',
    )
    .option('--json', 'as JSON')
    .addHelpText('after', HELP)
    .action((options: DoctorOptions) => choose(() => doctor(cli, options)))
}

const HELP = `
Examples:
  ticklock doctor
  ticklock doctor --store postgres://app@db/app

Exit codes: 0 no failure (there may be warnings), 1 at least one failure.
`

async function doctor(cli: Cli, options: DoctorOptions): Promise<number> {
  const { checkup } = await import('../checkup.ts')
  const { green, yellow, red, dim } = cli.colors
  const marks = { ok: green('✓ ok  '), warn: yellow('! warn'), fail: red('✗ fail') }
  const findings = []
  for await (const finding of checkup(cli, options)) {
    findings.push(finding)
    const { level, what, todo } = finding
    if (!options.json)
      cli.print(`${marks[level]}  ${what.replaceAll('\n', '\n        ')}${todo ? dim(`\n        → ${todo}`) : ''}`)
  }
  const failures = findings.filter(({ level }) => level === 'fail').length
  if (options.json) cli.print(cli.secrets.hide(JSON.stringify({ ok: failures === 0, findings }, undefined, 2)))
  return failures === 0 ? EXIT.ok : EXIT.failed
}
