import pino from 'pino'
import type { Cli } from './cli.ts'
import { lineFormatter } from './log-format.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export const LOG_FORMATS = ['auto', 'pretty', 'json'] as const

export interface LogOptions {
  readonly logLevel: (typeof LOG_LEVELS)[number]
  /** `auto`: readable in a terminal, else JSON. */
  readonly logFormat: (typeof LOG_FORMATS)[number]
}

/** How much may wait for a reader, in bytes. A log shipper that hangs must not fill the memory. */
const MOST_UNREAD = 16 * 2 ** 20

/** The log on the standard output: pino's lines as JSON, or made readable. No password of a store gets out. */
export function createLog(cli: Cli, { logLevel, logFormat }: LogOptions): pino.Logger {
  const pretty = logFormat === 'pretty' || (logFormat === 'auto' && cli.isTerminal)
  const format = pretty ? lineFormatter(cli.colors) : undefined
  let dropped = 0
  const write = (line: string): void => {
    if (cli.unread > MOST_UNREAD) {
      dropped++
      return
    }
    const lines = dropped
    dropped = 0
    if (lines > 0) logger.warn({ dropped: lines }, `dropped ${lines} lines of the log: nobody read them`)
    cli.write(format ? format(line) : line)
  }
  const logger = pino({ level: logLevel, base: null }, { write })
  return logger
}
