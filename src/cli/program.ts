import { Command, CommanderError } from 'commander'
import type { Cli } from './cli.ts'
import type { Action } from './command-file.ts'
import { COMMANDS } from './commands.ts'
import { explain } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { version } from './version.ts'

/** Parses the arguments and runs the command. Only the file of that command is loaded. */
export async function runProgram(args: readonly string[], cli: Cli): Promise<number> {
  let action: Action | undefined
  try {
    const program = await buildProgram(cli, wantedCommands(args), (chosen) => {
      action = chosen
    })
    await program.parseAsync([...args], { from: 'user' })
    if (action) return await action()
    return EXIT.ok
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    return explain(error, cli)
  }
}

/** Which commands have to be known whole: the one that is called. */
function wantedCommands(args: readonly string[]): readonly string[] {
  const names = args.slice(0, args[0] === 'help' ? 2 : 1)
  return names.filter((name) => COMMANDS.some((command) => command.name === name))
}

/** The program with these commands in full, and the others by name and summary. */
export async function buildProgram(
  cli: Cli,
  wanted: readonly string[],
  choose: (action: Action) => void,
): Promise<Command> {
  const program = new Command('ticklock')
    .description('Scheduled jobs for a cluster: every tick of every named job runs on at most one node.')
    .version(version(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false, helpWidth: Math.min(cli.width, 100) })
    .configureOutput({
      writeOut: (text) => cli.write(text),
      writeErr: (text) => cli.tell(text.trimEnd()),
      outputError: (text, write) => write(cli.errorColors.red(text)),
    })
    .exitOverride()
    .addHelpText('after', HELP)
  for (const { name, summary, load } of COMMANDS) {
    const command = program.command(name).summary(summary).description(summary).copyInheritedSettings(program)
    command.showHelpAfterError(`(ticklock ${name} --help shows how it is used)`)
    if (wanted.includes(name)) (await load()).define(command, cli, choose)
  }
  return program
}

const HELP = `
Begin with:
  ticklock init                 writes an example, ticklock.config.yaml
  ticklock run                  runs its jobs; start it on as many machines as you like

Exit codes: 0 success, 1 failed, 64 wrong usage, 69 the store failed, 75 lock not obtained, 76 lock lost, 78 wrong config.
`
