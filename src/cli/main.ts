import { EXIT } from './exit-codes.ts'
import { version } from './version.ts'

/** Runs the command line. Answers the exit code; never rejects. */
export async function main(args: readonly string[]): Promise<number> {
  let outputLost = (): void => process.exit(EXIT.ok)
  quietly(() => outputLost())
  // Nothing else is loaded for this.
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    process.stdout.write(`${version()}\n`)
    return EXIT.ok
  }
  const { Cli } = await import('./cli.ts')
  const cli = new Cli(process, process.env, process.cwd())
  outputLost = () => cli.outputLost()
  if (args[0] === '__complete') {
    const { complete } = await import('./complete.ts')
    await complete(args.slice(args[1] === '--' ? 2 : 1), cli)
    return EXIT.ok
  }
  const { runProgram } = await import('./program.ts')
  return runProgram(args, cli)
}

/** Nobody reads any more: the other end of a pipe, or of a socket, or the terminal is gone. */
const LOST = ['EPIPE', 'ECONNRESET', 'EIO', 'ENXIO']

/** `ticklock list | head` ends the pipe early, and Node.js 22 says that its SQLite is experimental: neither is news to who uses this. */
function quietly(outputLost: () => void): void {
  process.stdout.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
    if (LOST.includes(code)) outputLost()
  })
  // There is nowhere left to say it.
  process.stderr.on('error', () => {})
  const emitWarning = process.emitWarning.bind(process) as (...args: unknown[]) => void
  process.emitWarning = (...args: unknown[]): void => {
    const [warning, type] = args
    const isExperimental =
      type === 'ExperimentalWarning' || (type as { type?: string } | undefined)?.type === 'ExperimentalWarning'
    if (!(isExperimental && /SQLite|Type Stripping/.test(String(warning)))) emitWarning(...args)
  }
}
