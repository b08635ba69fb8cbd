import type { Attributes, Counter, Gauge, Histogram, Meter, ObservableResult, UpDownCounter } from '@opentelemetry/api'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { BUCKETS, INSTRUMENTS, type InstrumentName, type Labels } from '../telemetry/instruments.ts'
import type { Sink } from '../telemetry/measure.ts'

/** A sink that writes to a meter's instruments; `stop` takes the observers away. */
export function meterSink(meter: Meter, scheduler: Scheduler): { readonly sink: Sink; stop(): void } {
  const counters = new Map<InstrumentName, Counter | UpDownCounter>()
  const histograms = new Map<InstrumentName, Histogram>()
  const gauges = new Map<InstrumentName, Gauge>()
  const stops: (() => void)[] = []
  for (const [key, { kind, otel, help, unit }] of Object.entries(INSTRUMENTS)) {
    const name = key as InstrumentName
    const settings = { description: help, unit }
    const called = `ticklock.${otel}`
    if (kind === 'counter') counters.set(name, meter.createCounter(called, settings))
    else if (kind === 'up-down') counters.set(name, meter.createUpDownCounter(called, settings))
    else if (kind === 'histogram')
      histograms.set(
        name,
        meter.createHistogram(called, { ...settings, advice: { explicitBucketBoundaries: BUCKETS } }),
      )
    else if (name === 'lastSuccess') gauges.set(name, meter.createGauge(called, settings))
    else stops.push(observe(meter, called, settings, () => readingOf(name, scheduler), scheduler.label))
  }
  return {
    sink: {
      add: (name, by, labels) => counters.get(name)?.add(by, attributesOf(labels)),
      observe: (name, seconds, labels) => histograms.get(name)?.record(seconds, attributesOf(labels)),
      set: (name, value, labels) => gauges.get(name)?.record(value, attributesOf(labels)),
    },
    stop: () => {
      for (const stop of stops) stop()
    },
  }
}

function observe(
  meter: Meter,
  called: string,
  settings: { readonly description: string; readonly unit: string },
  read: () => number,
  node: string,
): () => void {
  const gauge = meter.createObservableGauge(called, settings)
  const callback = (result: ObservableResult): void => result.observe(read(), { 'ticklock.node': node })
  gauge.addCallback(callback)
  return () => gauge.removeCallback(callback)
}

const readingOf = (name: InstrumentName, scheduler: Scheduler): number =>
  name === 'clockSkew' ? scheduler.clockSkew / 1_000 : scheduler.storeUnreachableSince ? 0 : 1

const attributesOf = (labels: Labels): Attributes =>
  Object.fromEntries(Object.entries(labels).map(([label, value]) => [`ticklock.${label}`, value]))
