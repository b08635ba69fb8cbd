import type { Clock } from '../clock.ts'
import { type Duration, parseDuration, show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { PROVIDER_METHODS } from '../locker/locker.ts'
import { LOGGER_METHODS, type Logger } from '../logger.ts'
import { checkBoolean, checkKeys, checkMethods } from '../options.ts'
import type { LockProvider } from '../provider/contract.ts'
import { checkDefaults, type JobDefaults } from './job-options.ts'

export interface SchedulerOptions {
  /** Where the locks are kept. Closed by `stop()`, which closes only what the provider itself opened. */
  readonly provider: LockProvider
  /** What jobs have unless they say otherwise. */
  readonly defaults?: JobDefaults | undefined
  /**
   * Where log lines go: a pino logger, or any object with `debug`, `info`, `warn` and `error`. `false` for nowhere.
   * @default the console, for one line at the start, warnings and errors
   */
  readonly logger?: Logger | false | undefined
  /** How this node is called in the store and in the events of other nodes, for people. @default `host:pid` */
  readonly label?: string | undefined
  /** The longest wait for one response of the store, and never longer than the lease it is about. @default '5s' */
  readonly storeTimeout?: Duration | undefined
  /** A tick further ahead of the store's clock is refused, or a node with a wrong clock would take ticks for years to come. @default '60s' */
  readonly maxClockSkew?: Duration | undefined
  /**
   * Share the ticks out to the nodes: each node requests its part at once, and the others' part a moment later. `false`: every node requests
   * every tick at once, so the fastest node runs most of them.
   * @default true
   */
  readonly spread?: boolean | undefined
  /** Leave the provider open at `stop()`, because others use it. @default false */
  readonly keepProviderOpen?: boolean | undefined
  /** Where time comes from, for tests. @default the machine's clocks */
  readonly clock?: Clock | undefined
  /** From 0 to below 1, for jitter, the spreading of retries and `spread`, for tests. @default Math.random */
  readonly random?: (() => number) | undefined
}

export interface StopOptions {
  /** How long the runs under way may go on before their signals abort. @default '30s' */
  readonly graceFor?: Duration | undefined
  /**
   * How long the runs have to end once their signals have aborted; one that takes longer keeps its lock until the lease
   * expires. @default '1s'
   */
  readonly abortFor?: Duration | undefined
}

const SCHEDULER_OPTIONS = [
  'provider',
  'defaults',
  'logger',
  'label',
  'storeTimeout',
  'maxClockSkew',
  'spread',
  'keepProviderOpen',
  'clock',
  'random',
]
const CLOCK_METHODS = ['now', 'monotonic', 'setTimer']

/** @throws {InvalidOptionError} that names the option and the value. */
export function checkSchedulerOptions(options: SchedulerOptions, of: string): void {
  checkKeys(options, SCHEDULER_OPTIONS, of)
  checkMethods(options.provider, PROVIDER_METHODS, of, 'provider')
  if (options.logger !== undefined && options.logger !== false)
    checkMethods(options.logger, LOGGER_METHODS, of, 'logger')
  checkBoolean(options.spread, of, 'spread')
  checkBoolean(options.keepProviderOpen, of, 'keepProviderOpen')
  if (options.clock !== undefined) checkMethods(options.clock, CLOCK_METHODS, of, 'clock')
  if (options.random !== undefined && typeof options.random !== 'function')
    throw new InvalidOptionError(`${of}: random must be a function, but is ${show(options.random)}`)
  checkDefaults(options.defaults ?? {}, `${of} defaults`)
}

/** In ms. */
export function readStopOptions(options: StopOptions): { readonly graceFor: number; readonly abortFor: number } {
  checkKeys(options, ['graceFor', 'abortFor'], 'stop')
  return {
    graceFor: parseDuration(options.graceFor ?? '30s', { of: 'stop', option: 'graceFor' }),
    abortFor: parseDuration(options.abortFor ?? '1s', { of: 'stop', option: 'abortFor' }),
  }
}
