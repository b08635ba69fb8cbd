import type { JobOptions } from 'ticklock'

/** What every node of a chaos run has to do. */
export interface ChaosJob {
  readonly options: JobOptions & { readonly name: string }
  /** Its ticks are the whole multiples of this since the epoch, in ms: what its schedule comes to. */
  readonly interval: number
  /** How long the run of this tick takes, in ms; the same on every node. */
  takes(tick: number): number
}

/** The job whose effects must take place exactly once. */
export const LEDGER = 'ledger'

const instant = (): number => 0

/** From `least` to `most`, in no obvious order, and determined by the tick. */
const varying =
  (least: number, most: number) =>
  (tick: number): number =>
    least + ((Math.floor(tick / 100) * 2_654_435_761) % (most - least))

/** Jobs of every kind, some 8 ticks a second. Leases are short, so that a node that is stopped outlives its own. */
export const chaosJobs: readonly ChaosJob[] = [
  { interval: 500, options: { name: 'instant', every: 500, lockAtMostFor: 3_000 }, takes: instant },
  {
    interval: 1_000,
    options: { name: 'cron', cron: '* * * * * *', lockAtMostFor: 3_000, onCrash: 'rerun' },
    takes: instant,
  },
  {
    interval: 1_000,
    options: { name: 'short', every: 1_000, lockAtMostFor: 2_000, lockAtLeastFor: 300 },
    takes: varying(50, 250),
  },
  {
    interval: 2_000,
    options: { name: 'kept-alive', every: 2_000, lockAtMostFor: 1_500, keepAlive: true, onCrash: 'rerun' },
    takes: varying(200, 3_500),
  },
  {
    interval: 4_000,
    options: { name: 'rerun', cron: '*/4 * * * * *', lockAtMostFor: 1_200, onCrash: 'rerun' },
    takes: varying(300, 900),
  },
  {
    interval: 500,
    options: { name: 'catch-up', every: 500, lockAtMostFor: 2_000, catchUp: { window: 20_000, max: 40 } },
    takes: instant,
  },
  /** Writes to the ledger in a transaction that completes the run, where the store has transactions. */
  {
    interval: 500,
    options: { name: LEDGER, every: 500, lockAtMostFor: 1_500, onCrash: 'rerun' },
    takes: varying(0, 400),
  },
  /** Its lease is always lost before it ends, and its signal is not heeded. */
  { interval: 3_000, options: { name: 'too-long', every: 3_000, lockAtMostFor: 700 }, takes: varying(500, 1_500) },
]
