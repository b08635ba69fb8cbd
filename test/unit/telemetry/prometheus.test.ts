import { Registry } from 'prom-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { prometheus } from '../../../src/prometheus/index.ts'
import { Cluster, Work } from '../scheduler/cluster.ts'

/** What a registry answers; test/cluster/dashboard has it scraped over HTTP, and read by the parser of another client. */
async function read(register: Registry) {
  const families = await register.getMetricsAsJSON()
  return {
    families,
    /** The value of a series, or how often a histogram was observed. */
    value(name: string, labels: Record<string, string> = {}): number | undefined {
      const series = families.find((each) => each.name === name)?.values as readonly Series[] | undefined
      return series?.find(
        (each) =>
          (each.metricName ?? name).replace(/_count$/, '') === name &&
          Object.entries(labels).every(([label, value]) => each.labels[label] === value),
      )?.value
    },
  }
}

interface Series {
  readonly value: number
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string>>
}

describe('metrics for Prometheus', () => {
  it('tell what became of ticks: acquired, skipped, failed, lost, missed, how long, how late, how long waited for', async () => {
    const cluster = new Cluster()
    const [a, b] = [cluster.node(), cluster.node()]
    const metrics = prometheus()
    for (const node of [a, b]) onTestFinished(metrics.watch(node.scheduler))
    const work = new Work()
    cluster.job({ name: 'works', every: '10s' })
    cluster.job({ name: 'fails', every: '1m' }, () => {
      throw new Error('boom')
    })
    cluster.job({ name: 'loses', every: '1m', lockAtMostFor: '5s' }, work.run)
    a.store.set(200, 'acquire')
    await cluster.start()
    await cluster.until(2)
    expect((await read(metrics.register)).value('ticklock_running', { job: 'loses' })).toBe(1)
    await cluster.until(15)
    work.end()
    for (const node of [a, b]) node.store.set('down', 'acquire')
    await cluster.until(31)
    const { value, families } = await read(metrics.register)
    expect(value('ticklock_acquired_total', { job: 'works', kind: 'schedule' })).toBe(2)
    expect(value('ticklock_skipped_total', { job: 'works', reason: 'tick-taken' })).toBe(2)
    expect(value('ticklock_runs_total', { job: 'works', outcome: 'succeeded' })).toBe(2)
    expect(value('ticklock_runs_total', { job: 'fails', outcome: 'failed' })).toBe(1)
    expect(value('ticklock_lost_total', { job: 'loses' })).toBe(1)
    expect(value('ticklock_missed_total', { job: 'works', reason: 'store-error' })).toBe(2)
    expect(value('ticklock_store_errors_total', { action: 'acquire' })).toBeGreaterThan(2)
    expect(value('ticklock_run_duration_seconds', { job: 'works' })).toBe(2)
    expect(value('ticklock_lateness_seconds', { job: 'works' })).toBe(2)
    expect(value('ticklock_lock_wait_seconds', { job: 'works' })).toBe(2)
    expect(value('ticklock_running', { job: 'loses' })).toBe(0)
    expect(value('ticklock_last_success_timestamp_seconds', { job: 'works' })).toBeGreaterThan(1_704_067_200)
    expect(value('ticklock_store_up', { node: 'node1' })).toBe(0)
    expect(families.find(({ name }) => name === 'ticklock_lateness_seconds')?.type).toBe('histogram')
  })

  it("tell by how much a node's clock is off, when they are read", async () => {
    const cluster = new Cluster()
    const metrics = prometheus()
    onTestFinished(metrics.watch(cluster.node({ wallAhead: 5_000 }).scheduler))
    cluster.job({ every: '10s' })
    await cluster.start()
    await cluster.until(1)
    const { value } = await read(metrics.register)
    expect(value('ticklock_clock_skew_seconds', { node: 'node1' })).toBeCloseTo(5)
    expect(value('ticklock_store_up', { node: 'node1' })).toBe(1)
  })

  it('bound the label job: what comes beyond is one', async () => {
    const cluster = new Cluster()
    const metrics = prometheus({ mostJobs: 2 })
    onTestFinished(metrics.watch(cluster.node().scheduler))
    for (const name of ['a', 'b', 'c', 'd']) cluster.job({ name, every: '10s' })
    await cluster.start()
    await cluster.until(1)
    const { families } = await read(metrics.register)
    const runs = families.find(({ name }) => name === 'ticklock_runs_total')
    expect(runs?.values.map(({ labels, value }) => [labels.job, value])).toEqual([
      ['a', 1],
      ['b', 1],
      ['other', 2],
    ])
  })

  it('go into a registry of the app, under a prefix of its own, and end with the watching', async () => {
    const cluster = new Cluster()
    const register = new Registry()
    const stop = prometheus({ register, prefix: 'jobs_' }).watch(cluster.node().scheduler)
    cluster.job({ name: `"quoted"\n\\`, every: '10s' })
    await cluster.start()
    await cluster.until(1)
    stop()
    await cluster.until(11)
    const { value } = await read(register)
    expect(value('jobs_runs_total', { outcome: 'succeeded' })).toBe(1)
    expect(value('jobs_store_up')).toBeUndefined()
  })

  it('refuse a wrong option', () => {
    expect(() => prometheus({ prefix: '1 x' })).toThrow('prometheus: prefix must be letters')
    expect(() => prometheus({ mostJobs: -1 })).toThrow('mostJobs must be a whole number from 0')
    expect(() => prometheus({ other: 1 } as never)).toThrow('unknown option "other"')
  })
})
