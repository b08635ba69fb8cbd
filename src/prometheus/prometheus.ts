import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { checkKeys } from '../options.ts'
import type { Unsubscribe } from '../scheduler/emitter.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { BUCKETS, INSTRUMENTS, type InstrumentName, type Labels } from '../telemetry/instruments.ts'
import { jobLabels } from '../telemetry/job-labels.ts'
import { measure, type Sink } from '../telemetry/measure.ts'

export interface PrometheusOptions {
  /** Where the metrics are registered: `register` of `prom-client` to have them with your own. @default a registry of their own */
  readonly register?: Registry | undefined
  /** What their names begin with. @default 'ticklock_' */
  readonly prefix?: string | undefined
  /** The label `job` tells so many jobs apart, 0 to 100,000; all others are `other`. Each makes about 60 time series. @default 500 */
  readonly mostJobs?: number | undefined
}

/** Metrics of schedulers for Prometheus. */
export interface PrometheusMetrics {
  readonly register: Registry
  /** Measures a scheduler by its events, until the function that is answered is called. */
  watch(scheduler: Scheduler): Unsubscribe
}

/**
 * Metrics of schedulers, kept by `prom-client`. Make one for each registry, and let it watch each scheduler of the process. It costs nothing but its
 * events' handling: nothing is asked of the store.
 *
 * @example
 * const metrics = prometheus()
 * metrics.watch(scheduler)
 * const text = await metrics.register.metrics()
 *
 * @throws {InvalidOptionError} for a wrong option.
 */
export function prometheus(options: PrometheusOptions = {}): PrometheusMetrics {
  checkKeys(options, ['register', 'prefix', 'mostJobs'], 'prometheus')
  const { register = new Registry(), prefix = 'ticklock_' } = options
  if (typeof prefix !== 'string' || !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(prefix))
    throw new InvalidOptionError(`prometheus: prefix must be letters, digits and underscores, but is ${show(prefix)}`)
  const labelOf = jobLabels(options.mostJobs)
  const watched = new Set<Scheduler>()
  const sink = sinkOf(register, prefix, watched)
  return {
    register,
    watch(scheduler) {
      watched.add(scheduler)
      const off = measure(scheduler, sink, labelOf)
      return () => {
        off()
        watched.delete(scheduler)
      }
    },
  }
}

function sinkOf(register: Registry, prefix: string, watched: ReadonlySet<Scheduler>): Sink {
  const counters = new Map<InstrumentName, Counter>()
  const histograms = new Map<InstrumentName, Histogram>()
  const gauges = new Map<InstrumentName, Gauge>()
  for (const [key, { kind, prometheus: suffix, help, labels }] of Object.entries(INSTRUMENTS)) {
    const name = key as InstrumentName
    const settings = { name: prefix + suffix, help, labelNames: labels, registers: [register] }
    if (kind === 'counter') counters.set(name, new Counter(settings))
    else if (kind === 'histogram') histograms.set(name, new Histogram({ ...settings, buckets: BUCKETS }))
    else gauges.set(name, new Gauge({ ...settings, ...collecting(name, watched) }))
  }
  return {
    add: (name, by, labels) => (counters.get(name) ?? gauges.get(name))?.inc(labels, by),
    observe: (name, seconds, labels) => histograms.get(name)?.observe(labels, seconds),
    set: (name, value, labels) => gauges.get(name)?.set(labels, value),
  }
}

/** Gauges that are read when they are scraped. */
function collecting(name: InstrumentName, watched: ReadonlySet<Scheduler>): { collect?: (this: Gauge) => void } {
  if (name !== 'clockSkew' && name !== 'storeUp') return {}
  return {
    collect() {
      this.reset()
      for (const scheduler of watched) {
        const labels: Labels = { node: scheduler.label }
        this.set(labels, name === 'clockSkew' ? scheduler.clockSkew / 1_000 : scheduler.storeUnreachableSince ? 0 : 1)
      }
    },
  }
}
