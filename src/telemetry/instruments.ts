/* What is measured, once for all systems that take measurements. Times are in seconds, as both Prometheus and OpenTelemetry want them. */

export interface Instrument {
  readonly kind: 'counter' | 'histogram' | 'up-down' | 'gauge'
  readonly help: string
  readonly labels: readonly string[]
  /** Its name for Prometheus after the prefix. */
  readonly prometheus: string
  /** Its name for OpenTelemetry after `ticklock.`, and its unit. */
  readonly otel: string
  readonly unit: string
}

/** Upper bounds for what takes from a millisecond to an hour, in seconds. */
export const BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600]

export const INSTRUMENTS = {
  acquired: {
    kind: 'counter',
    help: 'Locks granted to this node',
    labels: ['job', 'kind'],
    prometheus: 'acquired_total',
    otel: 'lock.acquired',
    unit: '{lock}',
  },
  skipped: {
    kind: 'counter',
    help: 'Ticks that this node did not run, as it should be, by reason',
    labels: ['job', 'reason'],
    prometheus: 'skipped_total',
    otel: 'tick.skipped',
    unit: '{tick}',
  },
  missed: {
    kind: 'counter',
    help: 'Ticks that passed without this node being able to ask for them, by reason',
    labels: ['job', 'reason'],
    prometheus: 'missed_total',
    otel: 'tick.missed',
    unit: '{tick}',
  },
  runs: {
    kind: 'counter',
    help: 'Runs that ended on this node, by outcome: succeeded, failed',
    labels: ['job', 'outcome'],
    prometheus: 'runs_total',
    otel: 'run.ended',
    unit: '{run}',
  },
  lost: {
    kind: 'counter',
    help: 'Locks lost while the job ran',
    labels: ['job'],
    prometheus: 'lost_total',
    otel: 'lock.lost',
    unit: '{lock}',
  },
  duration: {
    kind: 'histogram',
    help: 'How long runs took',
    labels: ['job', 'outcome'],
    prometheus: 'run_duration_seconds',
    otel: 'run.duration',
    unit: 's',
  },
  lateness: {
    kind: 'histogram',
    help: "From a tick's time to the start of its run, for ticks on their time",
    labels: ['job'],
    prometheus: 'lateness_seconds',
    otel: 'run.lateness',
    unit: 's',
  },
  lockWait: {
    kind: 'histogram',
    help: 'From the first ask for a lock to its grant',
    labels: ['job'],
    prometheus: 'lock_wait_seconds',
    otel: 'lock.wait',
    unit: 's',
  },
  storeErrors: {
    kind: 'counter',
    help: 'Calls to the store that failed or were not answered in time, by action',
    labels: ['action'],
    prometheus: 'store_errors_total',
    otel: 'store.errors',
    unit: '{error}',
  },
  running: {
    kind: 'up-down',
    help: 'Runs under way on this node',
    labels: ['job'],
    prometheus: 'running',
    otel: 'run.active',
    unit: '{run}',
  },
  lastSuccess: {
    kind: 'gauge',
    help: 'When the job last succeeded on this node, as seconds since the epoch',
    labels: ['job'],
    prometheus: 'last_success_timestamp_seconds',
    otel: 'run.last_success',
    unit: 's',
  },
  clockSkew: {
    kind: 'gauge',
    help: "By how much this machine's clock is ahead of the store's (negative: behind)",
    labels: ['node'],
    prometheus: 'clock_skew_seconds',
    otel: 'clock.skew',
    unit: 's',
  },
  storeUp: {
    kind: 'gauge',
    help: "1 when the store's last call was answered, else 0",
    labels: ['node'],
    prometheus: 'store_up',
    otel: 'store.up',
    unit: '1',
  },
} as const satisfies Readonly<Record<string, Instrument>>

export type InstrumentName = keyof typeof INSTRUMENTS
/** Metrics that are computed when they are read. */
export type ReadName = 'clockSkew' | 'storeUp'

export type Labels = Readonly<Record<string, string>>
