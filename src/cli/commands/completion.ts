import { Argument, type Command } from 'commander'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { EXIT } from '../exit-codes.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  command
    .addArgument(new Argument('<shell>', 'which').choices(SHELLS))
    .description(
      'Prints the completions for a shell: commands, options, and the names of jobs and stores of the config.',
    )
    .addHelpText('after', HELP)
    .action((shell: (typeof SHELLS)[number]) =>
      choose(async () => {
        const { completionScript } = await import('../completion-scripts.ts')
        cli.write(completionScript[shell])
        return EXIT.ok
      }),
    )
}

const HELP = `
Examples:
  echo 'source <(ticklock completion bash)' >> ~/.bashrc
  echo 'source <(ticklock completion zsh)' >> ~/.zshrc
  ticklock completion fish > ~/.config/fish/completions/ticklock.fish
`
