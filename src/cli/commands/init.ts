import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { kindOf } from '../../config/store-kinds.ts'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { missingDriver } from '../driver.ts'
import { Failure } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'

interface InitOptions {
  readonly store: string
  readonly force?: boolean
  readonly print?: boolean
}

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  command
    .argument('[file]', 'what to write', 'ticklock.config.yaml')
    .description('Writes a commented example of a config, which runs as it is.')
    .option('-s, --store <url>', 'where the locks are kept', 'sqlite:./ticklock.sqlite')
    .option('-f, --force', 'write over a file that exists')
    .option('--print', 'print it instead')
    .addHelpText('after', HELP)
    .action((file: string, options: InitOptions) => choose(() => init(cli, file, options)))
}

const HELP = `
Examples:
  ticklock init
  ticklock init --store '\${DATABASE_URL}'
  ticklock init --print > deploy/ticklock.config.yaml
`

async function init(cli: Cli, name: string, { store, force, print }: InitOptions): Promise<number> {
  const { exampleConfig } = await import('../example.ts')
  // Within quotes where YAML would read it as something else.
  const text = exampleConfig(/^[\w$][^\s#'"]*$/.test(store) ? store : JSON.stringify(store))
  if (print) {
    cli.write(text)
    return EXIT.ok
  }
  const file = resolve(cli.cwd, name)
  if (existsSync(file) && !force) throw new Failure(`${name} is there already; --force writes over it`)
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new Failure(`${name} can't be written: ${(error as Error).message}`)
  }
  const { bold, green, yellow } = cli.colors
  const kind = kindOf(store)
  const missing = kind && missingDriver(kind)
  cli.print(`${green('✓')} wrote ${name}
${missing ? `${yellow('!')} ${missing}\n` : ''}
Now:
  ${bold('ticklock run')}        in two terminals: each tick runs in one of them
  ${bold('ticklock list')}       the jobs and their next ticks
  ${bold('ticklock status')}     who has which lock

(with npx before it, unless ticklock is installed globally)`)
  return EXIT.ok
}
