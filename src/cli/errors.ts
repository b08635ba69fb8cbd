import { isInvalidOption, isNotObtained, isStoreError } from '../errors.ts'
import type { Cli } from './cli.ts'
import { EXIT } from './exit-codes.ts'

/** What the user did wrong on the command line, other than its syntax. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** The request can't be carried out. */
export class Failure extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message)
    this.name = 'Failure'
    this.exitCode = exitCode
  }
}

/** Tells an error to the user; answers the exit code. A stack is shown for faults of ticklock alone. */
export function explain(error: unknown, cli: Cli): number {
  const { red } = cli.errorColors
  const message = error instanceof Error ? error.message : String(error)
  const name = error instanceof Error ? error.name : ''
  if (name === 'ConfigError') {
    const count = (error as { mistakes?: unknown[] }).mistakes?.length ?? 1
    cli.tell(
      `${paintMistakes(message, cli)}\n\n${red(count === 1 ? '1 mistake in the config' : `${count} mistakes in the config`)}`,
    )
    return EXIT.config
  }
  cli.tell(`${red('error:')} ${message}`)
  if (name === 'ConfigNotFound') return EXIT.config
  if (error instanceof Failure) return error.exitCode
  if (error instanceof UsageError || isInvalidOption(error)) return EXIT.usage
  if (isStoreError(error)) return EXIT.store
  if (isNotObtained(error)) return EXIT.notObtained
  if (error instanceof Error) cli.tell(error.stack?.split('\n').slice(1).join('\n') ?? '')
  return EXIT.internal
}

/** Places bold, markers red, the file's lines as they are. */
function paintMistakes(text: string, cli: Cli): string {
  const { bold, red, dim } = cli.errorColors
  return text
    .split('\n')
    .map((line) => {
      if (/^ +\| +\^+$/.test(line)) return red(line)
      if (/^ *\d+ \| /.test(line)) return dim(line)
      return line.replace(/^(\S+?:\d+:\d+: )(.*)$/, (_, place: string, rest: string) => bold(place) + rest)
    })
    .join('\n')
}
