import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { checkKeys } from '../options.ts'
import type { ServerMetrics } from '../serve/options.ts'

export interface ServerMetricsOptions {
  /** Where the metrics are registered. @default a registry of their own */
  readonly register?: Registry | undefined
}

/** From a fast store to {@link LONGEST_TIMEOUT} of the API, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/**
 * Metrics of a lock server, for `serve()` of `ticklock/serve`.
 *
 * @throws {InvalidOptionError} for a wrong option.
 */
export function serverMetrics(options: ServerMetricsOptions = {}): ServerMetrics {
  checkKeys(options, ['register'], 'serverMetrics')
  const { register = new Registry() } = options
  const registers = [register]
  const calls = new Histogram({
    name: 'ticklock_server_call_seconds',
    help: 'How long the calls of the HTTP API took, by verb and status.',
    labelNames: ['verb', 'status'],
    buckets: BUCKETS,
    registers,
  })
  const acquired = new Counter({
    name: 'ticklock_server_acquire_results_total',
    help: 'Requests for a lock by result: granted, held, tick-taken, clock-ahead, paused or error.',
    labelNames: ['result'],
    registers,
  })
  const underWay = new Gauge({
    name: 'ticklock_server_calls_under_way',
    help: 'How many calls of the HTTP API are under way.',
    registers,
  })
  return {
    register,
    call: (verb, status, seconds) => calls.observe({ verb, status: String(status) }, seconds),
    acquired: (result, count) => acquired.inc({ result }, count),
    underWay: (count) => underWay.set(count),
  }
}
