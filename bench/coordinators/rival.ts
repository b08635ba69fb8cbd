import type { ServerName } from '../../test/servers/index.ts'

/** What one process of a coordinator is to do. */
export interface NodeSetup {
  readonly url: string
  readonly label: string
  readonly jobs: readonly string[]
  /** The jobs have the schedule {@link FAR} and not that of the rival: what is measured is a process at rest. */
  readonly idle: boolean
  /** Called for each run, with the tick's nominal time in ms since the epoch; undefined where the coordinator doesn't tell it. */
  run(job: string, tick: number | undefined): Promise<void>
}

/** A way to run jobs on a schedule so that each tick is run by one process. */
export interface Rival {
  readonly name: string
  readonly store: ServerName
  /** The schedule of its jobs, in seconds: 1, or the shortest that it has. */
  readonly every: number
  /** Makes what the store needs, once, before the processes start. */
  prepare?(url: string): Promise<void>
  /** Starts a process; answers the function that ends it. */
  start(setup: NodeSetup): Promise<() => Promise<unknown>>
}

/**
 * How long a lock of a job is for at most, in ms, wherever one can say so: longer than a run takes by far, and shorter than from one tick to the next, so that
 * the end of a process costs no tick after the one that it was at.
 */
export const LEASE = 800

/** Every second, as a cron pattern. */
export const EACH_SECOND = '* * * * * *'

const monthsAhead = ((new Date().getUTCMonth() + 6) % 12) + 1

/** Once a year, and that is half a year from now; without seconds. */
export const FAR = `0 0 1 ${monthsAhead} *`
/** The same with seconds. */
export const FAR_WITH_SECONDS = `0 ${FAR}`

/**
 * A package of bench/package.json. Its types are not asked for: the project is checked without these packages, and what is used of each is
 * small and said where it is used.
 */
export const load = async <Module>(name: string): Promise<Module> => (await import(name)) as Module
