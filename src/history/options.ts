import { type Clock, systemClock } from '../clock.ts'
import { type Duration, parseDuration, show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { checkKeys, checkOneOf } from '../options.ts'
import type { RunHistory } from '../provider/history.ts'

export interface HistoryOptions {
  /** Where it is kept. @default the history of the scheduler's provider */
  readonly history?: RunHistory | undefined
  /** Entries older than this are dropped. From 1 min. @default '7d' */
  readonly keepFor?: Duration | undefined
  /** The oldest entries beyond so many are dropped, of all jobs and nodes together: 100 to 10,000,000. @default 100_000 */
  readonly maxEntries?: number | undefined
  /**
   * Which skipped ticks are kept. `'unusual'`: all but those that another node has (`'tick-taken'`, `'held'`), of which there is one for each tick and node. `'all'`: these too, so
   * that a timeline shows who skipped what. `'none'`.
   * @default 'unusual'
   */
  readonly skips?: 'unusual' | 'all' | 'none' | undefined
  /** How often what has happened is written. From 100 ms. @default '1s' */
  readonly writeEvery?: Duration | undefined
  /** How often this node says that it lives. From 1 s. @default '10s' */
  readonly heartbeatEvery?: Duration | undefined
  /** How many entries may wait to be written, 10 to 1,000,000. While the store fails, what comes on top of them is dropped and counted. @default 10_000 */
  readonly maxQueued?: number | undefined
  /** Told how many entries were dropped, each time that some were, at most once for each `writeEvery`. */
  readonly onDropped?: ((event: { readonly dropped: number }) => unknown) | undefined
  /** Called for each write that failed. What it was to write is tried again. */
  readonly onError?: ((error: unknown) => unknown) | undefined
  /** Where time comes from, for tests. @default the machine's clocks */
  readonly clock?: Clock | undefined
}

/** Durations in ms. */
export interface CheckedHistoryOptions {
  readonly keepFor: number
  readonly maxEntries: number
  readonly skips: 'unusual' | 'all' | 'none'
  readonly writeEvery: number
  readonly heartbeatEvery: number
  readonly maxQueued: number
  readonly onDropped: (event: { readonly dropped: number }) => unknown
  readonly onError: (error: unknown) => unknown
  readonly clock: Clock
}

const OPTIONS = [
  'history',
  'keepFor',
  'maxEntries',
  'skips',
  'writeEvery',
  'heartbeatEvery',
  'maxQueued',
  'onDropped',
  'onError',
  'clock',
]

const OF = 'recordHistory'

/** @throws {InvalidOptionError} that names the option and the value. */
export function checkHistoryOptions(options: HistoryOptions): CheckedHistoryOptions {
  checkKeys(options, OPTIONS, OF)
  checkOneOf(options.skips, ['unusual', 'all', 'none'], OF, 'skips')
  const duration = (option: 'keepFor' | 'writeEvery' | 'heartbeatEvery', otherwise: Duration, min: number): number =>
    parseDuration(options[option] ?? otherwise, { of: OF, option, min })
  return {
    keepFor: duration('keepFor', '7d', 60_000),
    maxEntries: count(options, 'maxEntries', 100_000, 100, 10_000_000),
    skips: options.skips ?? 'unusual',
    writeEvery: duration('writeEvery', '1s', 100),
    heartbeatEvery: duration('heartbeatEvery', '10s', 1_000),
    maxQueued: count(options, 'maxQueued', 10_000, 10, 1_000_000),
    onDropped: options.onDropped ?? (() => {}),
    onError: options.onError ?? (() => {}),
    clock: options.clock ?? systemClock,
  }
}

function count(
  options: HistoryOptions,
  option: 'maxEntries' | 'maxQueued',
  otherwise: number,
  min: number,
  max: number,
) {
  const value = options[option] ?? otherwise
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new InvalidOptionError(`${OF}: ${option} must be a whole number from ${min} to ${max}, but is ${show(value)}`)
}
