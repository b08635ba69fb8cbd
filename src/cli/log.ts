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

/** The log on the standard output: pino's lines as JSON, or made readable. No password of a store gets out. */
export function createLog(cli: Cli, { logLevel, logFormat }: LogOptions): pino.Logger {
  const pretty = logFormat === 'pretty' || (logFormat === 'auto' && cli.isTerminal)
  const format = pretty ? lineFormatter(cli.colors) : undefined
  return pino({ level: logLevel, base: null }, { write: (line: string) => cli.write(format ? format(line) : line) })
}
