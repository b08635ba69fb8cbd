import { EXIT } from './exit-codes.ts'
import { version } from './version.ts'

/** Runs the command line. Answers the exit code; never rejects. */
export async function main(args: readonly string[]): Promise<number> {
  quietly()
  // Nothing else is loaded for this.
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    process.stdout.write(`${version()}\n`)
    return EXIT.ok
  }
  const { Cli } = await import('./cli.ts')
  const cli = new Cli(process, process.env, process.cwd())
  if (args[0] === '__complete') {
    const { complete } = await import('./complete.ts')
    await complete(args.slice(args[1] === '--' ? 2 : 1), cli)
    return EXIT.ok
  }
  const { runProgram } = await import('./program.ts')
  return runProgram(args, cli)
}

/** `ticklock list | head` ends the pipe early, and Node.js 22 says that its SQLite is experimental: neither is news to who uses this. */
function quietly(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok)
  })
  const emitWarning = process.emitWarning.bind(process) as (...args: unknown[]) => void
  process.emitWarning = (...args: unknown[]): void => {
    const [warning, type] = args
    const isExperimental =
      type === 'ExperimentalWarning' || (type as { type?: string } | undefined)?.type === 'ExperimentalWarning'
    if (!(isExperimental && /SQLite|Type Stripping/.test(String(warning)))) emitWarning(...args)
  }
}
