import { type Meter, metrics, type Tracer, trace } from '@opentelemetry/api'
import { InvalidOptionError } from '../errors.ts'
import { checkKeys } from '../options.ts'
import type { JobWork } from '../scheduler/job.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { jobLabels } from '../telemetry/job-labels.ts'
import { measure } from '../telemetry/measure.ts'
import { meterSink } from './meter-sink.ts'
import { RunSpans } from './run-spans.ts'

export interface OpenTelemetryOptions {
  /** @default the global provider's tracer `ticklock` */
  readonly tracer?: Tracer | undefined
  /** @default the global provider's meter `ticklock` */
  readonly meter?: Meter | undefined
  /** The attribute `ticklock.job` of metrics tells so many jobs apart, 0 to 100,000; all others are `other`. Spans tell all. @default 500 */
  readonly mostJobs?: number | undefined
}

/** Traces and metrics of a scheduler. */
export interface Telemetry {
  /** Work in whose calls the run's span is the active one, so that what they trace is part of it. */
  traced(work: JobWork): JobWork
  /** Ends the watching. Spans of runs under way are ended. */
  stop(): void
}

/**
 * A span for each run, from the first request its lock to its end, and metrics, by OpenTelemetry's API: whatever SDK
 * the process has set up takes them, and without one nothing happens.
 *
 * @example
 * const telemetry = openTelemetry(scheduler)
 * scheduler.job({ name: 'report', cron: '0 2 * * *' }, telemetry.traced(async () => report()))
 *
 * @throws {InvalidOptionError} for a wrong option.
 */
export function openTelemetry(scheduler: Scheduler, options: OpenTelemetryOptions = {}): Telemetry {
  checkKeys(options, ['tracer', 'meter', 'mostJobs'], 'openTelemetry')
  const { tracer = trace.getTracer('ticklock'), meter = metrics.getMeter('ticklock') } = options
  if (typeof meter.createGauge !== 'function')
    throw new InvalidOptionError(
      'openTelemetry: the meter has no createGauge(), which @opentelemetry/api has from 1.9: run "npm install @opentelemetry/api@1"',
    )
  const spans = new RunSpans(tracer, scheduler.label)
  const { sink, stop } = meterSink(meter, scheduler)
  // Spans first: a measurement may then be tied to the span of its run.
  const offs = [
    scheduler.onAny((name, event) => spans.on(name, event)),
    measure(scheduler, sink, jobLabels(options.mostJobs)),
  ]
  return {
    traced: (work) => (run) => spans.within(run, () => work(run)),
    stop() {
      for (const off of offs) off()
      stop()
      spans.end()
    },
  }
}
