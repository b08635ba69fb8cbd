import { describe, expect, it } from 'vitest'
import { futureTickOf } from '../../../../src/scheduler/tick/future-tick.ts'
import { Cluster, HOUR, MIDNIGHT, MINUTE, SECOND } from '../cluster.ts'

/** The record's last tick is this one, as if the store's clock had been ahead. */
async function lastTickIs(cluster: Cluster, lastTick: number): Promise<void> {
  const request = { name: 'job', owner: `other-${lastTick}`, label: 'other', lockAtMostFor: 1_000, tick: lastTick }
  await cluster.store.acquire([{ ...request, maxClockSkew: Number.MAX_SAFE_INTEGER }])
  await cluster.store.release([{ ...request, lockAtLeastFor: 0 }])
}

function logger() {
  const lines: string[] = []
  const log = (_: object, message?: string): void => void lines.push(message ?? '')
  return { lines, logger: { debug: () => {}, info: () => {}, warn: log, error: log } }
}

describe('a last tick in the future', () => {
  it('is told once, with the remedy, and shown until ticks run again', async () => {
    const cluster = new Cluster()
    const { lines, logger: log } = logger()
    await lastTickIs(cluster, MIDNIGHT + HOUR)
    const node = cluster.node({ logger: log })
    cluster.job({ every: '1m' })
    await cluster.start()
    await cluster.until(600)
    expect(node.events('future-tick')).toEqual([
      { name: 'future-tick', job: 'job', lastTick: new Date(MIDNIGHT + HOUR), ahead: expect.closeTo(HOUR, -2) },
    ])
    expect(lines.filter((line) => line.endsWith('run: ticklock reset job'))).toHaveLength(1)
    expect(node.scheduler.describe('job').futureTick).toEqual(new Date(MIDNIGHT + HOUR))
    await cluster.until((HOUR + MINUTE) / SECOND)
    expect(cluster.ticks).toEqual([(HOUR + MINUTE) / SECOND])
    expect(node.scheduler.describe('job').futureTick).toBeUndefined()
    expect(node.events('future-tick')).toHaveLength(1)
  })

  it('is logged with a remedy that a shell takes, whatever the name', async () => {
    const { lines, logger: log } = logger()
    const cluster = new Cluster()
    cluster.node({ logger: log })
    cluster.job({ name: "it's odd", every: '10s' })
    await cluster.store.acquire([
      { name: "it's odd", owner: 'o', label: 'l', lockAtMostFor: 1, tick: MIDNIGHT + HOUR, maxClockSkew: 2 * HOUR },
    ])
    await cluster.start()
    await cluster.until(15)
    expect(lines).toEqual([expect.stringMatching(/run: ticklock reset 'it'\\''s odd'$/)])
  })

  it('is told anew when it is another one', async () => {
    const cluster = new Cluster()
    await lastTickIs(cluster, MIDNIGHT + HOUR)
    const node = cluster.node()
    cluster.job({ every: '1m' })
    await cluster.start()
    await cluster.until(90)
    await lastTickIs(cluster, MIDNIGHT + 2 * HOUR)
    await cluster.until(300)
    expect(node.events('future-tick').map(({ lastTick }) => +lastTick)).toEqual([MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR])
  })

  it('within maxClockSkew is not told', async () => {
    const cluster = new Cluster()
    await lastTickIs(cluster, MIDNIGHT + MINUTE - SECOND)
    const node = cluster.node()
    cluster.job({ every: '1s' })
    await cluster.start()
    await cluster.until(30)
    expect(node.events('future-tick')).toEqual([])
  })

  it('is told also to a job that catches up', async () => {
    const cluster = new Cluster()
    await lastTickIs(cluster, MIDNIGHT + HOUR)
    const node = cluster.node()
    cluster.job({ every: '1m', catchUp: 'latest' })
    await cluster.start()
    await cluster.until(200)
    expect(node.events('future-tick')).toHaveLength(1)
  })

  it.each([
    [undefined, undefined],
    [-1, undefined],
    [60_000, undefined],
    [60_001, 60_001],
  ])('%s ms ahead of the store is %s', (ahead, expected) => {
    const record = {
      name: 'job',
      lockedBy: '',
      lockedAt: 0,
      lockUntil: 0,
      fencingToken: 0,
      tickDone: true,
      storeTime: 1e6,
    }
    expect(futureTickOf({ ...record, lastTick: ahead === undefined ? undefined : 1e6 + ahead }, 60_000)).toBe(expected)
  })
})
