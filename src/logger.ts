/**
 * Where log lines go: a pino logger as it is, or any object with these four methods, each taking the line's fields and its text.
 */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** pino's: a logger that adds these fields to every line. Used where there is one. */
  child?(fields: Record<string, unknown>): Logger
}

export const LOGGER_METHODS = ['debug', 'info', 'warn', 'error']

const nothing = (): void => {}

/** Writes nothing. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/** Writes to the console: what a scheduler uses that was given no logger. */
export const consoleLogger: Logger = {
  debug: nothing,
  info: (fields, message) => console.info(`ticklock: ${message}`, fields),
  warn: (fields, message) => console.warn(`ticklock: ${message}`, fields),
  error: (fields, message) => console.error(`ticklock: ${message}`, fields),
}

/** The logger for an option: none for `false`, the console when nothing was given. */
export const loggerFor = (option: Logger | false | undefined): Logger =>
  option === false ? silentLogger : (option ?? consoleLogger)

type Level = 'debug' | 'info' | 'warn' | 'error'

/** A logger that adds these fields to each line, by the logger's own `child` where it has one. */
export function childLogger(logger: Logger, fields: Record<string, unknown>): Logger {
  if (logger.child) return logger.child(fields)
  const at =
    (level: Level) =>
    (line: object, message: string): void =>
      logger[level]({ ...fields, ...line }, message)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** The same logger, but nothing that it throws or rejects with gets out: a log line never changes an outcome. */
export function safeLogger(logger: Logger): Logger {
  const at =
    (level: Level) =>
    (line: object, message: string): void => {
      // There is nowhere left to tell it.
      quietly(() => logger[level](line, message), nothing)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** Calls what others gave us. What it throws, or what the promise that it answers rejects with, goes to `onThrow`. */
export function quietly(call: () => unknown, onThrow: (error: unknown) => void): void {
  try {
    const result = call() as { then?: unknown } | undefined
    if (typeof result?.then === 'function') Promise.resolve(result).catch(onThrow)
  } catch (error) {
    onThrow(error)
  }
}
