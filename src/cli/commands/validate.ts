import type { Command } from 'commander'
import { plural } from '../../format/format.ts'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { type ConfigOption, configOption, loadPlan } from '../config-option.ts'
import { EXIT } from '../exit-codes.ts'

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  configOption(command.argument('[file]', 'the config file'))
    .description(
      'Checks the config and tells all its mistakes, each with file, line and column. Opens no store and runs nothing.',
    )
    .option('--json', 'the mistakes as JSON')
    .addHelpText('after', HELP)
    .action((file: string | undefined, options: ConfigOption & { json?: boolean }) => {
      choose(() => validate(cli, { config: file ?? options.config, json: options.json ?? false }))
    })
}

const HELP = `
Examples:
  ticklock validate
  ticklock validate deploy/ticklock.config.yaml
  ticklock validate --json | jq '.mistakes[] | "\\(.line):\\(.column) \\(.message)"'

Exit codes: 0 the config is right (there may be warnings), 78 it is not.
`

async function validate(cli: Cli, { config, json }: { config: string | undefined; json: boolean }): Promise<number> {
  const { ConfigError } = await import('../../config/mistake.ts')
  const { warningsOf } = await import('../ticks.ts')
  try {
    const plan = await loadPlan(cli, config === undefined ? {} : { config })
    const off = plan.jobs.filter(({ enabled }) => !enabled).length
    const stores = plan.stores.map(({ shown }) => shown).join(', ')
    const warnings = warningsOf(plan, Date.now())
    if (json) cli.printJson({ ok: true, file: plan.file, jobs: plan.jobs.length, mistakes: [], warnings })
    else
      cli.print(
        `${cli.colors.green('✓')} ${plan.file}: ${plural(plan.jobs.length, 'job')}${off ? `, ${off} of them disabled` : ''}, over ${stores}`,
      )
    if (!json) for (const warning of warnings) cli.print(`${cli.colors.yellow('! warn')}  ${warning}`)
    return EXIT.ok
  } catch (error) {
    if (!json || !(error instanceof ConfigError)) throw error
    cli.printJson({
      ok: false,
      mistakes: error.mistakes.map(({ excerpt, ...mistake }) => ({ ...mistake, excerpt: excerpt?.text })),
    })
    return EXIT.config
  }
}
