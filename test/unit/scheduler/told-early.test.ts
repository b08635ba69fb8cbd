/* A provider may tell answers of a batch before it has the others. */
import { describe, expect, it } from 'vitest'
import { Cluster, MIDNIGHT, type Node, Work } from './cluster.ts'
import type { Tells } from './faulty-store.ts'

const JOBS = ['a', 'b', 'c', 'd']

/** One node whose four jobs are due at once, of which two are told early. */
async function atMidnight(rest: Tells['rest'], works: Readonly<Record<string, Work>> = {}): Promise<[Cluster, Node]> {
  const cluster = new Cluster()
  const node = cluster.node()
  for (const name of JOBS) cluster.job({ name, every: '1m', lockAtMostFor: '1m' }, works[name]?.run)
  await cluster.start()
  node.store.set({ tells: 2, rest }, 'acquire')
  await cluster.until(0)
  return [cluster, node]
}

const jobs = (cluster: Cluster): string[] => cluster.ran.map(({ job }) => job)

describe('what a provider tells early', () => {
  it('begins before the rest is decided', async () => {
    const [cluster] = await atMidnight(700)
    expect(jobs(cluster)).toEqual(['a', 'b'])
    await cluster.until(1)
    expect(cluster.ran.map(({ job, at }) => [job, at])).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', 0.7],
      ['d', 0.7],
    ])
  })

  it('stands when the rest fails, which alone is asked for again', async () => {
    const works = { a: new Work() }
    const [cluster, node] = await atMidnight('down', works)
    node.store.set('up')
    await cluster.until(2)
    expect(jobs(cluster)).toEqual(['a', 'b', 'c', 'd'])
    expect(node.store.callsOf('acquire').map(({ batch }) => batch.map(({ name }) => name))).toEqual([JOBS, ['c', 'd']])
    expect(node.events('store-error').map(({ job }) => job)).toEqual(['c', 'd'])
    works.a.end()
    await cluster.until(3)
    expect(node.events('succeeded')).toHaveLength(4)
  })

  it('stands when the rest is not answered in time', async () => {
    const [cluster, node] = await atMidnight('hang')
    node.store.set('up')
    await cluster.until(20)
    expect(jobs(cluster)).toEqual(['a', 'b', 'c', 'd'])
    expect(node.events('store-error').map(({ job }) => job)).toEqual(['c', 'd'])
  })

  it('of two calls in one turn reaches the one that asked', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    for (const name of JOBS) cluster.job({ name, every: '1m', lockAtMostFor: name < 'c' ? '1s' : '1m' })
    await cluster.start()
    // Two deadlines, so two calls, which travel as one batch: a and b, then c and d.
    node.store.set({ tells: 3, rest: 300 }, 'acquire')
    await cluster.until(0)
    expect(node.store.callsOf('acquire').map(({ batch }) => batch.map(({ name }) => name))).toEqual([JOBS])
    expect(jobs(cluster)).toEqual(['a', 'b', 'c'])
    await cluster.until(1)
    expect(jobs(cluster)).toEqual(JOBS)
  })

  it('brings the clock of the store before its runs begin', async () => {
    const cluster = new Cluster()
    const node = cluster.node({ wallAhead: -200 })
    for (const name of JOBS) cluster.job({ name, every: '1m', lockAtMostFor: '1m' })
    // The store's clock can't be read before.
    node.store.set('down')
    await cluster.start()
    node.store.set('up')
    node.store.set({ tells: 2, rest: 500 }, 'acquire')
    await cluster.until(1)
    // To the millisecond, by which the reading of the clock may be wrong when it is half a second old.
    expect(node.events('started').map(({ job, firedAt }) => [job, firedAt.getTime() - MIDNIGHT])).toEqual([
      ['a', 200],
      ['b', 200],
      ['c', expect.closeTo(700, -0.5)],
      ['d', expect.closeTo(700, -0.5)],
    ])
  })
})

describe('the releases of what began early', () => {
  /** When, in ms after midnight, how many locks were given back, of so many jobs of which half are told early. */
  async function releases(count: number, rest: Tells['rest']): Promise<[number, number][]> {
    const cluster = new Cluster()
    const node = cluster.node()
    for (let index = 0; index < count; index++) cluster.job({ name: `${index}`, every: '1m', lockAtMostFor: '1m' })
    await cluster.start()
    node.store.set({ tells: count / 2, rest }, 'acquire')
    await cluster.until(0.9)
    return node.store.callsOf('release').map(({ at, batch }) => [at - MIDNIGHT, batch.length])
  }

  it('wait for the rest of a large batch, and go out with its own', async () => {
    expect(await releases(1_000, 200)).toEqual([[200, 1_000]])
  })

  it('wait for no longer than a quarter of a second', async () => {
    expect(await releases(1_000, 600)).toEqual([
      [250, 500],
      [600, 500],
    ])
    expect(await releases(1_000, 'hang')).toEqual([[250, 500]])
  })

  it('go out at once from a smaller batch', async () => {
    expect(await releases(998, 200)).toEqual([
      [0, 499],
      [200, 499],
    ])
  })
})
