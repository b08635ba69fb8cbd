import { describe, expect, it } from 'vitest'
import { Cluster, MIDNIGHT, type Node, type NodeOptions } from './cluster.ts'

/** When a node asked for more than one name, in ms after midnight. */
const askedAt = (node: Node): number[] =>
  node.store
    .callsOf('acquire')
    .filter(({ batch }) => batch.length > 1)
    .map(({ at }) => at - MIDNIGHT)

/** Two nodes with the same jobs every 10 s, of which the first asks first, and the second draws `random`. */
async function twoNodes(jobs: number, random: number, options: NodeOptions = {}) {
  const cluster = new Cluster()
  const nodes = [cluster.node(), cluster.node({ random: () => random, ...options })] as const
  for (const { scheduler } of nodes)
    for (let index = 0; index < jobs; index++)
      scheduler.job({ name: `job ${index}`, every: '10s', lockAtMostFor: '9s' }, () => {})
  await cluster.start()
  await cluster.until(1)
  return { cluster, nodes }
}

describe('a batch of a thousand ticks', () => {
  it('is left to the node that had the last one: the others ask later by half of the spread to all of it', async () => {
    for (const [random, wait] of [
      [0, 75],
      [0.5, 112.5],
    ] as const) {
      const { cluster, nodes } = await twoNodes(1_000, random)
      await cluster.until(21)
      expect(askedAt(nodes[0])).toEqual([0, 10_000, 20_000])
      expect(askedAt(nodes[1])).toEqual([0, 10_000 + wait, 20_000 + wait])
      expect(nodes[1].events('skipped')).toHaveLength(3_000)
    }
  })

  it('runs on another node, not much later, when that node is gone', async () => {
    const { cluster, nodes } = await twoNodes(1_000, 0)
    nodes[0].store.set('hang')
    await cluster.until(31)
    // Once it was granted a batch it is the one that asks at once.
    expect(askedAt(nodes[1])).toEqual([0, 10_075, 20_000, 30_000])
    expect(nodes[1].events('started')).toHaveLength(3_000)
    nodes[0].store.set('up')
  })

  it('is not waited for longer than 1.25 s, nor than a quarter of the time there is', async () => {
    const { cluster, nodes } = await twoNodes(12_000, 0.5, { storeTimeout: '8s' })
    await cluster.until(12)
    expect(askedAt(nodes[1])[1]).toBe(10_000 + 937.5)
    const hasty = await twoNodes(12_000, 0.5, { storeTimeout: '1s' })
    await hasty.cluster.until(12)
    expect(askedAt(hasty.nodes[1])[1]).toBe(10_000 + 187.5)
  }, 60_000)

  it('is asked for at once after the store has failed', async () => {
    const { cluster, nodes } = await twoNodes(1_000, 0)
    nodes[1].store.set('down', 'acquire')
    await cluster.until(10.2)
    nodes[1].store.set('up')
    await cluster.until(21)
    expect(askedAt(nodes[1]).filter((at) => at >= 20_000)).toEqual([20_000])
  })

  it('that waits is missed when the scheduler stops, and forgotten when its job is taken out', async () => {
    const { cluster, nodes } = await twoNodes(1_000, 0.999)
    await cluster.until(10.05)
    nodes[1].scheduler.remove('job 0')
    void nodes[1].scheduler.stop()
    await cluster.until(11)
    expect(nodes[1].events('missed').map(({ reason }) => reason)).toEqual(new Array(999).fill('stopped'))
    expect(askedAt(nodes[1])).toEqual([0])
  })
})

it('a smaller batch waits for nobody', async () => {
  const { cluster, nodes } = await twoNodes(999, 0.999)
  await cluster.until(21)
  expect(askedAt(nodes[1])).toEqual([0, 10_000, 20_000])
})
