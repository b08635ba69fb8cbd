import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it } from 'vitest'
import { judge } from '../../examples/demo/verdict.ts'
import { Cluster } from './cluster.ts'
import { clusterJobs } from './jobs.ts'

const servers = inject('servers')
const LABELS = ['node-1', 'node-2', 'node-3', 'node-4']
/** How long the cluster runs, and by how much the last tick judged lies before its end, so that each has had its time. */
const RUNS_FOR = 9_000
const TAIL = 3_500

async function provesOncePerTick(kind: string, url: (cluster: Cluster) => string): Promise<void> {
  await using cluster = new Cluster()
  await Promise.all(LABELS.map((label) => cluster.start(label, kind, url(cluster))))
  const from = Date.now() + 200
  const over = sleep(RUNS_FOR)

  // The first node that begins the long job is killed in the middle of it.
  const { node: killed } = await cluster.next(
    (told) => told.event === 'started' && !!told.details?.job?.endsWith(':long'),
  )
  const takeover = cluster.next((told) => told.event === 'started' && told.details?.kind === 'rerun')
  await sleep(200)
  cluster.kill(killed)
  await takeover
  await over
  const to = Date.now() - TAIL
  expect(await cluster.stop()).toEqual(LABELS.slice(1).map(() => 0))

  const witnessed = cluster.witnessed()
  for (const job of clusterJobs) {
    const verdict = judge(job, witnessed, from, to, killed)
    expect(verdict.due).toBeGreaterThan(0)
    // A tick that a killed node had taken may be lost with it unless the job wants it rerun; none runs twice, ever.
    expect(verdict).toMatchObject({ job: job.name, twice: 0, run: verdict.due - verdict.missed })
    expect(verdict.missed).toBeLessThanOrEqual(job.onCrash === 'rerun' ? 0 : 1)
    expectTokensToGrow(witnessed.filter((line) => line.what === 'begin' && line.job === job.name))
  }
}

function expectTokensToGrow(begun: readonly { readonly tick: number; readonly fencingToken: number }[]): void {
  const tokens = [...begun].sort((a, b) => a.fencingToken - b.fencingToken)
  const ticks = tokens.map(({ tick }) => tick)
  expect(ticks).toEqual([...ticks].sort((a, b) => a - b))
  expect(new Set(tokens.map(({ fencingToken }) => fencingToken)).size).toBe(tokens.length)
}

describe('four processes over one store, one of them killed in a run', () => {
  it('run every tick once on sqlite', () => provesOncePerTick('sqlite', ({ folder }) => join(folder, 'locks.sqlite')))

  for (const kind of ['postgres', 'mariadb', 'mysql', 'mongodb', 'redis'] as const) {
    const server = servers[kind]
    it.skipIf('unavailable' in server)(`run every tick once on ${kind}`, () =>
      provesOncePerTick(kind, () => ('url' in server ? server.url : '')),
    )
  }
})
