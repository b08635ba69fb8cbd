import { describe, expect, it } from 'vitest'
import type { JobOptions } from '../../../../src/scheduler/job-options.ts'
import { Random } from '../../../simulation/random.ts'
import { Cluster, MIDNIGHT, MINUTE, type Node, type NodeOptions, SECOND } from '../cluster.ts'

/** Seconds between two ticks. */
const EVERY = 5
/** Within so many ticks all nodes know each other. */
const WARM = 20

interface ManyNodes {
  readonly nodes: number
  readonly jobs: number
  readonly options?: NodeOptions
  readonly job?: Partial<JobOptions>
}

/** Nodes that all have the same jobs, every 5 s. The first node's requests always arrive first. */
async function manyNodes({ nodes, jobs, options = {}, job = {} }: ManyNodes): Promise<Cluster> {
  const cluster = new Cluster()
  for (let index = 0; index < nodes; index++) addNode(cluster, options)
  for (let index = 0; index < jobs; index++)
    cluster.job({ name: `job-${index}`, every: EVERY * SECOND, lockAtMostFor: '4s', ...job } as JobOptions)
  await cluster.start()
  return cluster
}

const addNode = (cluster: Cluster, options: NodeOptions = {}): Node =>
  cluster.node({ random: new Random(cluster.nodes.length + 1).float, ...options })

/** How many jobs each of the nodes ran at a tick. */
function sharesAt(cluster: Cluster, tick: number): number[] {
  const ran = cluster.ran.filter((run) => run.tick === tick)
  return cluster.nodes.map((_, index) => ran.filter(({ node }) => node === `node${index + 1}`).length)
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

/** By how many ms the jobs started late, for the ticks from one second to another. */
const lateness = (cluster: Cluster, from: number, to: number): number[] =>
  cluster.ran.filter(({ tick }) => tick >= from && tick < to).map(({ at, tick }) => Math.round((at - tick) * 1_000))

/** When a node requested ticks, in ms after the tick, and how many, for the tick at this second. */
const requests = (node: Node, tick: number): [after: number, count: number][] =>
  node.store
    .callsOf('acquire')
    .map(({ at, batch }): [number, number] => [at - MIDNIGHT - tick * SECOND, batch.length])
    .filter(([after]) => after >= 0 && after < EVERY * SECOND)

describe('four nodes share forty jobs', () => {
  it('at each tick, and evenly over a hundred, by two requests a node', async () => {
    const cluster = await manyNodes({ nodes: 4, jobs: 40 })
    await cluster.until(EVERY * (WARM + 100) - 1)
    const seconds: number[] = []
    const shares: number[] = []
    for (let tick = WARM * EVERY; tick < (WARM + 100) * EVERY; tick += EVERY) {
      shares.push(...sharesAt(cluster, tick))
      expect(sum(shares.slice(-4))).toBe(40)
      for (const node of cluster.nodes) {
        const [first, second, ...more] = requests(node, tick)
        expect(first?.[0]).toBe(0)
        expect((first?.[1] ?? 0) + (second?.[1] ?? 0)).toBe(40)
        expect(more).toEqual([])
        seconds.push(second?.[0] as number)
      }
    }
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(5)
    expect(Math.max(...shares)).toBeLessThanOrEqual(15)
    for (let node = 0; node < 4; node++) {
      const share = sum(shares.filter((_, index) => index % 4 === node)) / 4_000
      expect(share).toBeGreaterThanOrEqual(0.22)
      expect(share).toBeLessThanOrEqual(0.28)
    }
    // One after another, in another order at each tick.
    for (const at of [50, 100, 150, 200]) expect(seconds.filter((each) => each === at)).toHaveLength(100)
    // What a node leaves to others to meet them is late, and nothing else is.
    const late = lateness(cluster, WARM * EVERY, (WARM + 100) * EVERY).filter((ms) => ms > 0)
    expect(late.length).toBeLessThan(0.03 * 4_000)
    expect(new Set(cluster.ran.filter(({ job }) => job === 'job-7').map(({ node }) => node)).size).toBe(4)
  }, 60_000)

  it('and none of it when they are not to', async () => {
    const cluster = await manyNodes({ nodes: 4, jobs: 40, options: { spread: false } })
    await cluster.until(EVERY * 20)
    for (const { node, at, tick } of cluster.ran) expect([node, at]).toEqual(['node1', tick])
    for (const node of cluster.nodes) expect(requests(node, 50)).toEqual([[0, 40]])
  })
})

describe('a node that is gone', () => {
  it('costs its part one delay of at most 150 ms at each tick until it is forgotten', async () => {
    const cluster = await manyNodes({ nodes: 4, jobs: 40 })
    await cluster.until(EVERY * WARM - 1)
    const dead = cluster.nodes[1] as Node
    dead.store.set('hang')
    const from = EVERY * WARM
    await cluster.until(from + 299)
    for (let tick = from; tick < from + 299; tick += EVERY) expect(sum(sharesAt(cluster, tick))).toBe(40)
    const first = lateness(cluster, from, from + 1)
    expect(first.filter((late) => late === 0).length).toBeGreaterThanOrEqual(25)
    expect(first.filter((late) => late >= 50).length).toBeGreaterThanOrEqual(5)
    expect(Math.max(...lateness(cluster, from, from + 300))).toBeLessThanOrEqual(150)
    // Forgotten: the three others share all of it.
    const late = lateness(cluster, from + 150, from + 300).filter((ms) => ms > 0)
    expect(late.length).toBeLessThan(0.05 * 40 * 30)
    const shares = sharesAt(cluster, from + 250)
    expect(shares[1]).toBe(0)
    for (const index of [0, 2, 3]) expect(shares[index]).toBeGreaterThanOrEqual(8)
    dead.store.set('up')
  }, 60_000)

  it('costs no tick while each call takes nearly until the next tick', async () => {
    const cluster = await manyNodes({ nodes: 2, jobs: 40, job: { lockAtMostFor: '1m' } })
    await cluster.until(WARM * EVERY - 1)
    cluster.nodes[1]?.store.set('hang')
    cluster.nodes[0]?.store.set({ delivered: EVERY * SECOND - 60 }, 'acquire')
    await cluster.until((WARM + 6) * EVERY - 0.01)
    // The first slow call is not over when its tick is ordered.
    for (let tick = WARM + 1; tick < WARM + 6; tick++) expect(sum(sharesAt(cluster, tick * EVERY))).toBe(40)
  })

  it('costs no tick, whatever the interval', async () => {
    for (const every of [100, 1_000]) {
      const cluster = await manyNodes({ nodes: 3, jobs: 4, job: { every, lockAtMostFor: every } })
      await cluster.until(10)
      cluster.nodes[0]?.store.set('hang')
      await cluster.until(20)
      const ran = cluster.ran.filter(({ tick }) => tick >= 11 && tick < 19)
      expect(ran.length).toBe(4 * (8_000 / every))
      for (const { at, tick } of ran) expect(Math.round((at - tick) * SECOND)).toBeLessThanOrEqual(every / 4)
      cluster.nodes[0]?.store.set('up')
    }
  }, 60_000)
})

describe('a node', () => {
  it('that knows nobody requests all at once, and leaves a few to others now and then', async () => {
    const cluster = await manyNodes({ nodes: 1, jobs: 40 })
    await cluster.until(EVERY * 200 - 1)
    const late = lateness(cluster, 0, EVERY * 200)
    expect(late.length).toBe(40 * 200)
    expect(new Set(late)).toEqual(new Set([0, 50]))
    // Half of the first 16 batches, and one in 16 of the others: 20 of 200, with 5 jobs each.
    expect(late.filter((ms) => ms > 0).length).toBeLessThanOrEqual(5 * 40)
    expect(late.filter((ms) => ms > 0).length % 5).toBe(0)
  })

  it('leaves its only job to others for a moment now and then', async () => {
    const cluster = await manyNodes({ nodes: 2, jobs: 1 })
    await cluster.until(EVERY * 300)
    for (const node of ['node1', 'node2']) {
      const runs = cluster.ran.filter((run) => run.node === node && run.tick >= WARM * EVERY)
      expect(runs.length).toBeGreaterThan(100)
    }
  })

  it('that joins is given its part, though its requests always come last', async () => {
    const cluster = await manyNodes({ nodes: 2, jobs: 40 })
    await cluster.until(EVERY * WARM)
    const joins = addNode(cluster)
    for (let index = 0; index < 40; index++)
      cluster.job({ name: `job-${index}`, every: EVERY * SECOND, lockAtMostFor: '4s' }, undefined, [joins])
    await cluster.start(joins)
    await cluster.until(EVERY * (WARM + 60))
    const shares = Array.from({ length: 10 }, (_, index) => sharesAt(cluster, EVERY * (WARM + 50 + index))[2] as number)
    expect(sum(shares)).toBeGreaterThanOrEqual(100)
  }, 60_000)

  it('requests what it left to others no more once it stops, and forgets what is taken out', async () => {
    const cluster = await manyNodes({ nodes: 2, jobs: 40 })
    const [first, second] = cluster.nodes as [Node, Node]
    await cluster.until(EVERY * WARM + 0.02)
    const [atTick] = requests(second, EVERY * WARM)
    const before = second.events('missed').length
    second.scheduler.remove('job-0')
    second.scheduler.remove('job-1')
    void second.scheduler.stop()
    await cluster.until(EVERY * WARM + 2)
    expect(requests(second, EVERY * WARM)).toEqual([atTick])
    const missed = second.events('missed').slice(before)
    expect(missed.length).toBeGreaterThan(0)
    expect(missed.every(({ reason, job }) => reason === 'stopped' && job !== 'job-0' && job !== 'job-1')).toBe(true)
    expect(sum(sharesAt(cluster, EVERY * WARM))).toBe(40)
    expect(first.events('missed')).toEqual([])
  })
})

describe('labels', () => {
  it('that are equal: the nodes count as one, and no tick is lost', async () => {
    const cluster = await manyNodes({ nodes: 3, jobs: 12, options: { label: 'same' } })
    await cluster.until(EVERY * 30 - 1)
    expect(cluster.ran.length).toBe(12 * 30)
    for (const node of cluster.nodes) expect(node.events('skipped', 'started').length).toBe(12 * 30)
  })

  it('that come and go at a deploy: no tick is lost, and the new nodes share all', async () => {
    const cluster = await manyNodes({ nodes: 3, jobs: 30 })
    await cluster.until(EVERY * WARM)
    for (const old of [...cluster.nodes]) {
      const added = addNode(cluster)
      for (let index = 0; index < 30; index++)
        cluster.job({ name: `job-${index}`, every: EVERY * SECOND, lockAtMostFor: '4s' }, undefined, [added])
      await cluster.start(added)
      await cluster.until(cluster.now + 2 * EVERY)
      void old.scheduler.stop()
      await cluster.until(cluster.now + EVERY)
    }
    const from = Math.ceil(cluster.now / EVERY) * EVERY
    await cluster.until(from + 300 - 1)
    for (let tick = 0; tick < from + 300; tick += EVERY) expect(sum(sharesAt(cluster, tick))).toBe(30)
    const shares = sharesAt(cluster, from + 250)
    expect(shares.slice(0, 3)).toEqual([0, 0, 0])
    for (const share of shares.slice(3)) expect(share).toBeGreaterThanOrEqual(7)
  })

  it('of nodes that do not have a job are soon left out of its order', async () => {
    const cluster = await manyNodes({ nodes: 4, jobs: 20 })
    // Only two of the nodes have these.
    const workers = cluster.nodes.slice(0, 2)
    for (let index = 0; index < 20; index++)
      cluster.job({ name: `rare-${index}`, every: EVERY * SECOND, lockAtMostFor: '4s' }, undefined, workers)
    await cluster.until(EVERY * 90)
    const rare = cluster.ran.filter(
      ({ job, tick }) => job.startsWith('rare') && tick >= EVERY * 60 && tick < EVERY * 90,
    )
    expect(rare.length).toBe(20 * 30)
    const late = rare.filter(({ at, tick }) => at > tick)
    expect(late.length).toBeLessThan(0.15 * rare.length)
  }, 60_000)
})

describe('what does not follow the order of nodes', () => {
  it('a job with jitter', async () => {
    const cluster = await manyNodes({ nodes: 3, jobs: 1, job: { jitter: 300 } })
    await cluster.until(EVERY * 40 - 1)
    expect(cluster.ran.length).toBe(40)
    expect(Math.max(...lateness(cluster, 0, EVERY * 40))).toBeLessThanOrEqual(300)
  })

  it('a job that still runs here is skipped without a request', async () => {
    const cluster = new Cluster()
    const [slow] = [addNode(cluster), addNode(cluster)]
    cluster.job({ every: '1s', lockAtMostFor: '1m' }, () => new Promise(() => {}))
    await cluster.start()
    await cluster.until(3.9)
    const reasons = slow?.events('skipped').map(({ reason }) => reason)
    expect(reasons).toEqual(['running', 'running', 'running'])
    expect(slow?.store.callsOf('acquire').length).toBe(1)
  })

  it('a crashed tick is rerun by exactly one other node', async () => {
    const cluster = await manyNodes({ nodes: 3, jobs: 0 })
    cluster.job({ every: MINUTE, lockAtMostFor: '2s', onCrash: 'rerun' }, () => new Promise(() => {}))
    await cluster.until(0.5)
    const [first] = cluster.ran
    cluster.nodes[Number(first?.node.slice(4)) - 1]?.store.set('hang')
    await cluster.until(5)
    expect(cluster.ran.slice(1, 2).map(({ kind, tick }) => [kind, tick])).toEqual([['rerun', 0]])
    for (const node of cluster.nodes) node.store.set('up')
  })

  it('ticks that are owed run in order, and none is overtaken', async () => {
    const cluster = await manyNodes({
      nodes: 3,
      jobs: 10,
      job: { catchUp: { window: '1h', max: 100 }, graceFor: '100ms' },
    })
    await cluster.until(EVERY * WARM)
    for (const node of cluster.nodes) node.store.set('down')
    await cluster.until(EVERY * (WARM + 5) - 1)
    for (const node of cluster.nodes) node.store.set('up')
    await cluster.until(EVERY * (WARM + 20) - 1)
    for (let job = 0; job < 10; job++) {
      const ticks = cluster.ran.filter((run) => run.job === `job-${job}`).map(({ tick }) => tick)
      expect(ticks).toEqual(Array.from({ length: WARM + 20 }, (_, index) => index * EVERY))
    }
  })
})
