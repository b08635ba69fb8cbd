import type { Command } from 'commander'
import type { Plan } from '../config/plan.ts'
import type { Cli } from './cli.ts'

export interface ConfigOption {
  readonly config?: string
}

export const configOption = (command: Command): Command =>
  command.option('-c, --config <file>', 'the config file (default: ticklock.config.yaml, .yml, .json, .ts or .js here)')

/** Reads the config that the option means. From then on the passwords of its stores are hidden in all output. */
export async function loadPlan(cli: Cli, { config }: ConfigOption): Promise<Plan> {
  const { findConfig } = await import('../config/find.ts')
  const { readConfig } = await import('../config/read.ts')
  const plan = await readConfig(findConfig(cli.cwd, config), { environment: cli.environment, cwd: cli.cwd })
  for (const { options } of plan.stores) {
    cli.secrets.add(options.url)
    if (options.token !== undefined) cli.secrets.addToken(options.token)
  }
  return plan
}
