import type { Duration } from '../duration.ts'
import { MAX_DURATION, parseDuration, show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { checkLease } from '../lock/lock-options.ts'
import { checkKeys, checkOneOf } from '../options.ts'
import type { ScheduleOptions } from './plan/schedule.ts'

/** What all jobs of a scheduler may share. A job's own option wins. */
export interface JobDefaults {
  /**
   * The lease's length: a crashed node blocks the job on others for at most so long. From 1 ms. Choose it well above
   * the longest run, or renew with `keepAlive`. Required, here or in the scheduler's defaults.
   */
  readonly lockAtMostFor?: Duration | undefined
  /**
   * The lock stays taken for at least so long from its acquisition, even if the run ends sooner. At most
   * `lockAtMostFor`. Once-per-tick holds without it. While it lasts, further ticks are skipped too.
   * @default 0
   */
  readonly lockAtLeastFor?: Duration | undefined
  /** Renew the lease at a third of its length while the job runs. @default false */
  readonly keepAlive?: boolean | undefined
  /**
   * What becomes of a tick whose node crashed, that is, whose lease expired without release. `'skip'`: it is over.
   * `'rerun'`: exactly one other node takes it over as soon as the lease has expired, with a higher fencing token.
   * @default 'skip'
   */
  readonly onCrash?: 'skip' | 'rerun' | undefined
  /**
   * What becomes of ticks that passed while no node could ask (all down, the store down, the machine asleep), found at
   * start, after an outage and after a suspension. `'latest'`: the newest of them runs. `{ window, max }`: those of the
   * last `window` run in order, the newest `max` of them. Only ticks since some node has planned the job with its
   * present schedule: a job that is new, or whose schedule changed, owes none from before.
   * @default 'none'
   */
  readonly catchUp?: 'none' | 'latest' | CatchUpWindow | undefined
  /**
   * At start, run the latest tick that has passed unless it ran already, also when the job was never seen before. Of
   * ten nodes that start, one runs it.
   * @default false
   */
  readonly runOnStart?: boolean | undefined
  /**
   * Each node waits a random time up to this, but no longer than half the grace, before it requests a tick, to spread
   * the load. The tick itself stays.
   * @default 0
   */
  readonly jitter?: Duration | undefined
  /**
   * How long after its time a tick may still be requested while the store fails; it never reaches the next tick. The
   * first answer has to come within it too. From 100 ms.
   * @default '30s'
   */
  readonly graceFor?: Duration | undefined
  /**
   * When the store still fails at the end of the grace: `'skip'` the tick (closed), or `'run'` without the lock (open),
   * for jobs that would rather run on every node than not at all.
   * @default 'skip'
   */
  readonly onStoreError?: 'skip' | 'run' | undefined
}

export interface CatchUpWindow {
  /** How far back. From 1 ms. */
  readonly window: Duration
  /** How many ticks at most, from 1 to 1,000. */
  readonly max: number
}

export interface JobOptions extends ScheduleOptions, JobDefaults {
  /** The job's name, the same on every node; it is the lock's name. 1 to 255 characters. */
  readonly name: string
  /**
   * How often the job has to succeed, on whichever node: what watches over it (`ticklock/health`) tells when it has
   * not. Choose it longer than the schedule's interval and a run. From 1 s.
   * @default none
   */
  readonly expectEvery?: Duration | undefined
  /** A text kept in the store with the lock for people to read. */
  readonly metadata?: string | undefined
}

/** How an option is read: checked, with its default in place. */
interface OptionSpec<Checked> {
  /** The least duration allowed, in ms. Only for durations. */
  readonly min?: number
  read(value: unknown, of: string, option: string): Checked
}

const duration = (min: number, otherwise?: Duration): OptionSpec<number> => ({
  min,
  read: (value, of, option) => parseDuration(value ?? otherwise, { of, option, min }),
})

const oneOf = <const Value>(values: readonly Value[], otherwise: Value): OptionSpec<Value> => ({
  read(value, of, option) {
    checkOneOf(value, values, of, option)
    return (value as Value | undefined) ?? otherwise
  },
})

const flag = oneOf([true, false], false)

/**
 * The options that defaults may have. A new one is defined here and in {@link JobDefaults}, and described in
 * config/schema.ts.
 */
const DEFAULT_SPECS = {
  lockAtMostFor: duration(1),
  lockAtLeastFor: duration(0, 0),
  keepAlive: flag,
  onCrash: oneOf(['skip', 'rerun'], 'skip'),
  catchUp: { read: readCatchUp },
  runOnStart: flag,
  jitter: duration(0, 0),
  graceFor: duration(100, '30s'),
  onStoreError: oneOf(['skip', 'run'], 'skip'),
} satisfies { readonly [Option in keyof JobDefaults]-?: OptionSpec<unknown> }

/** The options that defaults may have, checked. Durations in ms. */
export type CheckedDefaults = {
  readonly [Option in keyof typeof DEFAULT_SPECS]: ReturnType<(typeof DEFAULT_SPECS)[Option]['read']>
}

export const JOB_DEFAULTS = Object.keys(DEFAULT_SPECS) as (keyof JobDefaults)[]
/** The options that a job may have. */
export const JOB_OPTIONS: readonly (keyof JobOptions)[] = [
  'name',
  'cron',
  'timezone',
  'every',
  'expectEvery',
  'metadata',
  ...JOB_DEFAULTS,
]

/** The least of each option that is a duration, in ms. */
export const JOB_DURATIONS: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries<OptionSpec<unknown>>(DEFAULT_SPECS).flatMap(([option, { min }]) =>
    min === undefined ? [] : [[option, min]],
  ),
)

/** What all jobs of a scheduler share. */
export class Defaults {
  readonly #given: JobDefaults
  /** What they come to for a job without such options of its own: a company's jobs are many, and most have none. */
  #alone: CheckedDefaults | undefined

  constructor(given: JobDefaults = {}) {
    this.#given = { ...given }
  }

  /** The options of a job together with the defaults, checked. */
  with(options: JobDefaults, of: string): CheckedDefaults {
    if (JOB_DEFAULTS.some((key) => options[key] !== undefined))
      return checkShared({ ...this.#given, ...defined(options) }, of)
    this.#alone ??= checkShared(this.#given, of)
    return this.#alone
  }
}

/** Refuses defaults that no job could have. */
export function checkDefaults(defaults: JobDefaults, of: string): void {
  checkKeys(defaults, JOB_DEFAULTS, of)
  checkShared({ ...defined(defaults), lockAtMostFor: defaults.lockAtMostFor ?? MAX_DURATION }, of)
}

function checkShared(options: JobDefaults, of: string): CheckedDefaults {
  checkLease(options, of)
  const checked = Object.entries<OptionSpec<unknown>>(DEFAULT_SPECS).map(([option, { read }]) => [
    option,
    read(options[option as keyof JobDefaults], of, option),
  ])
  return Object.fromEntries(checked) as CheckedDefaults
}

function readCatchUp(catchUp: unknown, of: string): { readonly window: number; readonly max: number } | undefined {
  if (catchUp === undefined || catchUp === 'none') return undefined
  if (catchUp === 'latest') return { window: Number.POSITIVE_INFINITY, max: 1 }
  if (typeof catchUp !== 'object' || catchUp === null) {
    throw new InvalidOptionError(`${of}: catchUp must be 'none', 'latest' or { window, max }, but is ${show(catchUp)}`)
  }
  checkKeys(catchUp, ['window', 'max'], `${of}: catchUp`)
  const { window, max } = catchUp as CatchUpWindow
  if (!Number.isInteger(max) || max < 1 || max > 1000) {
    throw new InvalidOptionError(`${of}: catchUp.max must be a whole number from 1 to 1000, but is ${show(max)}`)
  }
  return { window: parseDuration(window, { of, option: 'catchUp.window', min: 1 }), max }
}

/**
 * The options that a job shares with its scheduler's defaults, as far as they have a value: one that is undefined would
 * hide a default.
 */
const defined = (options: JobDefaults): JobDefaults => {
  const values: Record<string, unknown> = {}
  for (const key of JOB_DEFAULTS) if (options[key] !== undefined) values[key] = options[key]
  return values
}
