import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openTelemetry } from '../../../src/opentelemetry/index.ts'
import { Cluster, Work } from '../scheduler/cluster.ts'

function sdk() {
  const spans = new InMemorySpanExporter()
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 })
  const meters = new MeterProvider({ readers: [reader] })
  onTestFinished(async () => {
    await Promise.all([tracers.shutdown(), meters.shutdown()])
  })
  return {
    tracer: tracers.getTracer('test'),
    meter: meters.getMeter('test'),
    spans: () => spans.getFinishedSpans(),
    async metrics() {
      await reader.forceFlush()
      const [last] = exporter.getMetrics().slice(-1)
      return Object.fromEntries(
        (last?.scopeMetrics ?? []).flatMap(({ metrics }) => metrics).map((metric) => [metric.descriptor.name, metric]),
      )
    },
  }
}

const manager = new AsyncLocalStorageContextManager()
beforeAll(() => context.setGlobalContextManager(manager.enable()))
afterAll(() => context.disable())

describe('traces', () => {
  it('have a span for each run, with its tick, the wait for its lock, and the outcome', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const { tracer, meter, spans } = sdk()
    openTelemetry(node.scheduler, { tracer, meter })
    cluster.job({ name: 'works', every: '10s' })
    cluster.job({ name: 'fails', every: '1m' }, () => {
      throw new TypeError('boom')
    })
    node.store.set(400, 'acquire')
    await cluster.start()
    await cluster.until(5)
    const [works, fails] = ['works', 'fails'].map((job) => spans().find(({ name }) => name === `run ${job}`))
    expect(spans()).toHaveLength(2)
    expect(works?.attributes).toMatchObject({
      'ticklock.job': 'works',
      'ticklock.run.kind': 'schedule',
      'ticklock.tick': '2024-01-01T00:00:00.000Z',
      'ticklock.node': 'node1',
      'ticklock.lock.wait': 0.4,
      'ticklock.lock.fencing_token': expect.any(Number),
      'ticklock.run.outcome': 'succeeded',
    })
    expect(works?.status.code).toBe(SpanStatusCode.UNSET)
    expect(works?.events.map(({ name }) => name)).toEqual(['ticklock.lock.acquired', 'ticklock.run.started'])
    const [seconds = 0, nanoseconds = 0] = works?.duration ?? []
    expect(seconds + nanoseconds / 1e9).toBeGreaterThanOrEqual(0.4)
    expect(fails?.attributes).toMatchObject({ 'ticklock.run.outcome': 'failed', 'error.type': 'TypeError' })
    expect(fails?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'boom' })
    expect(fails?.events.at(-1)).toMatchObject({ name: 'exception' })
  })

  it('of traced work are the parents of what it traces', async () => {
    const cluster = new Cluster()
    const { scheduler } = cluster.node()
    const { tracer, meter, spans } = sdk()
    const telemetry = openTelemetry(scheduler, { tracer, meter })
    const work = telemetry.traced(async () => {
      await Promise.resolve()
      tracer.startSpan('inner').end()
    })
    cluster.job({ every: '10s' }, work)
    await cluster.start()
    await cluster.until(1)
    const [inner, outer] = ['inner', 'run job'].map((called) => spans().find(({ name }) => name === called))
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId)
    expect(trace.getActiveSpan()).toBeUndefined()
  })

  it('of a lost lock, and of a run without one, say so', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const { tracer, meter, spans } = sdk()
    openTelemetry(node.scheduler, { tracer, meter })
    const work = new Work()
    cluster.job({ every: '20s', lockAtMostFor: '5s', graceFor: '2s', onStoreError: 'run' }, work.run)
    await cluster.start()
    await cluster.until(10)
    work.end()
    node.store.set('down', 'acquire')
    await cluster.until(25)
    work.end()
    await cluster.until(26)
    expect(spans().map(({ attributes }) => attributes['ticklock.lock.lost'])).toEqual([true, undefined])
    expect(spans().map(({ attributes }) => attributes['ticklock.lock.fencing_token'] !== undefined)).toEqual([
      true,
      false,
    ])
  })

  it('end with the watching', async () => {
    const cluster = new Cluster()
    const { scheduler } = cluster.node()
    const { tracer, meter, spans } = sdk()
    const telemetry = openTelemetry(scheduler, { tracer, meter })
    const work = new Work()
    cluster.job({ every: '10s' }, work.run)
    await cluster.start()
    await cluster.until(1)
    telemetry.stop()
    expect(spans()).toHaveLength(1)
    work.end()
    await cluster.until(11)
    expect(spans()).toHaveLength(1)
  })
})

describe('metrics for OpenTelemetry', () => {
  it('tell what became of ticks, by semantic names and units', async () => {
    const cluster = new Cluster()
    const [node] = [cluster.node({ wallAhead: 5_000 }), cluster.node()]
    const { tracer, meter, metrics } = sdk()
    for (const { scheduler } of cluster.nodes) openTelemetry(scheduler, { tracer, meter })
    cluster.job({ name: 'a', every: '10s' })
    await cluster.start()
    await cluster.until(15)
    const read = await metrics()
    const pointOf = (name: string) => read[name]?.dataPoints[0]
    expect(pointOf('ticklock.lock.acquired')).toMatchObject({
      value: 2,
      attributes: { 'ticklock.job': 'a', 'ticklock.kind': 'schedule' },
    })
    expect(pointOf('ticklock.tick.skipped')).toMatchObject({
      value: 2,
      attributes: { 'ticklock.reason': 'tick-taken' },
    })
    expect(pointOf('ticklock.run.duration')).toMatchObject({ value: { count: 2 } })
    expect(read['ticklock.run.duration']?.descriptor.unit).toBe('s')
    expect(pointOf('ticklock.run.active')).toMatchObject({ value: 0 })
    const skews = read['ticklock.clock.skew']?.dataPoints.map(({ attributes, value }) => [
      attributes['ticklock.node'],
      value,
    ])
    expect(skews).toContainEqual([node.scheduler.label, expect.closeTo(5)])
  })

  it('without an SDK do nothing, and harm nothing', async () => {
    const cluster = new Cluster()
    openTelemetry(cluster.node().scheduler)
    cluster.job({ every: '10s' })
    await cluster.start()
    await cluster.until(1)
    expect(cluster.ticks).toEqual([0])
  })
})
