import { describe, expect, it } from 'vitest'
import { holderOf, MAX_LABEL, releasedHolderOf } from '../../../../src/provider/holder.ts'
import { markOf, sinceOf } from '../../../../src/scheduler/catch-up/schedule-mark.ts'
import type { JobOptions } from '../../../../src/scheduler/job-options.ts'
import { readSchedule } from '../../../../src/scheduler/plan/schedule.ts'
import { Cluster, MIDNIGHT, MINUTE, type Node, SECOND } from '../cluster.ts'

const WINDOW: JobOptions['catchUp'] = { window: '1d', max: 100 }

/** One more node with the job, started. */
async function join(cluster: Cluster, options: Partial<JobOptions>): Promise<Node> {
  const node = cluster.node()
  cluster.job({ catchUp: WINDOW, ...options }, () => {}, [node])
  await cluster.start(node)
  return node
}

async function leave(cluster: Cluster, node: Node): Promise<void> {
  void node.scheduler.stop()
  await cluster.time.settle()
}

describe('the first tick of a job', () => {
  it.each<JobOptions['catchUp']>(['latest', WINDOW])(
    'that its node slept through is caught up with (%j)',
    async (catchUp) => {
      const cluster = new Cluster()
      await cluster.until(5)
      const node = await join(cluster, { every: '1m', catchUp })
      await cluster.until(50)
      await node.clock.sleep(MINUTE - 5 * SECOND, { monotonicStandsStill: true })
      await cluster.until(110)
      expect(cluster.ran).toMatchObject([{ tick: 60, kind: 'catch-up' }])
    },
  )

  it('that passed while the store was down is caught up with', async () => {
    const cluster = new Cluster()
    await cluster.until(5)
    const node = await join(cluster, { every: '1m', graceFor: '10s' })
    node.store.set('down')
    await cluster.until(80)
    node.store.set('up')
    await cluster.until(90)
    expect(cluster.ran).toMatchObject([{ tick: 60, kind: 'catch-up' }])
  })

  it('that passed while the store was down from the start on is caught up with', async () => {
    const cluster = new Cluster()
    await cluster.until(5)
    const node = cluster.node({ wallAhead: -20 * SECOND })
    node.store.set('down')
    cluster.job({ every: '1m', graceFor: '10s', catchUp: WINDOW })
    await cluster.start()
    await cluster.until(80)
    node.store.set('up')
    await cluster.until(110)
    expect(cluster.ticks).toEqual([60])
  })

  it.each([
    ['1m', 30, 90, [60]],
    ['10s', 5, 35, [10, 20, 30]],
  ] as const)(
    'of each %s that passed while the node restarted is caught up with',
    async (every, stops, starts, ticks) => {
      const cluster = new Cluster()
      await cluster.until(2)
      await leave(cluster, await join(cluster, { every }))
      await cluster.until(stops)
      expect(cluster.ticks).toEqual([])
      await cluster.until(starts)
      await join(cluster, { every })
      await cluster.until(starts + 4)
      expect(cluster.ticks).toEqual(ticks)
    },
  )

  it('is owed from the first start on, also after several restarts', async () => {
    const cluster = new Cluster()
    await cluster.until(5)
    for (const until of [20, 70, 130]) {
      const node = await join(cluster, { every: '1m' })
      node.store.set('down', 'acquire')
      await leave(cluster, node)
      await cluster.until(until)
    }
    await join(cluster, { every: '1m' })
    await cluster.until(135)
    expect(cluster.ticks).toEqual([60, 120])
  })

  it('is not owed from before the first start', async () => {
    const cluster = new Cluster()
    await cluster.until(65)
    await leave(cluster, await join(cluster, { every: '1m' }))
    await cluster.until(70)
    await join(cluster, { every: '1m' })
    await cluster.until(115)
    expect(cluster.ticks).toEqual([])
  })

  it('is not kept from running by the record of the plan, which holds the lock for a millisecond and no longer', async () => {
    const cluster = new Cluster()
    for (let count = 0; count < 5; count++) cluster.node()
    cluster.job({ every: '10s', catchUp: WINDOW })
    await cluster.start()
    await cluster.until(25)
    expect(cluster.ticks).toEqual([0, 10, 20])
    for (const node of cluster.nodes)
      expect(node.events('skipped').every(({ reason }) => reason === 'tick-taken')).toBe(true)
  })

  it('leaves the records alone of jobs that catch up with nothing', async () => {
    const cluster = new Cluster()
    await cluster.until(5)
    await join(cluster, { every: '1m', catchUp: 'none' })
    await cluster.until(6)
    expect(await cluster.store.read()).toEqual([])
  })
})

describe('a changed schedule', () => {
  const at = (time: string): number => (Date.parse(`2024-01-01T${time}Z`) - MIDNIGHT) / SECOND
  const cases = [
    ['another hour', '0 2 * * *', '0 14 * * *', undefined],
    ['each hour, of which the old tick is one', '0 2 * * *', '0 * * * *', undefined],
    ['each half hour', '0 2 * * *', '*/30 * * * *', undefined],
    ['another zone', '0 2 * * *', '0 2 * * *', 'America/New_York'],
  ] as const

  it.each(cases)('to %s runs no tick from before a reload', async (_, old, cron, timezone) => {
    const cluster = new Cluster()
    const node = await join(cluster, { cron: old })
    await cluster.until(at('15:29:00'))
    cluster.ran.splice(0)
    node.scheduler.remove('job')
    node.scheduler.job({ name: 'job', cron, timezone, catchUp: WINDOW, lockAtMostFor: '1m' }, () => {})
    await cluster.until(at('15:29:59'))
    expect(cluster.ticks).toEqual([])
  })

  it.each(cases)(
    'to %s runs no tick from before a deploy, nor after another restart',
    async (_, old, cron, timezone) => {
      const cluster = new Cluster()
      const node = await join(cluster, { cron: old })
      await cluster.until(at('15:28:00'))
      await leave(cluster, node)
      cluster.ran.splice(0)
      const after = await join(cluster, { cron, timezone })
      await cluster.until(at('15:29:00'))
      await leave(cluster, after)
      await join(cluster, { cron, timezone })
      await cluster.until(at('15:29:50'))
      expect(cluster.ticks).toEqual([])
    },
  )

  it('catches up with its ticks from after the change', async () => {
    const cluster = new Cluster()
    const node = await join(cluster, { cron: '0 2 * * *' })
    await cluster.until(at('15:28:00'))
    await leave(cluster, node)
    await leave(cluster, await join(cluster, { cron: '0 * * * *' }))
    await cluster.until(at('17:30:00'))
    cluster.ran.splice(0)
    await join(cluster, { cron: '0 * * * *' })
    await cluster.until(at('17:30:10'))
    expect(cluster.ticks).toEqual([at('16:00:00'), at('17:00:00')])
  })

  it('runs no old tick while nodes with the old and the new pattern run at once, and restart', async () => {
    const cluster = new Cluster()
    const options = [{ cron: '0 2 * * *' }, { cron: '0 * * * *' }] as const
    let old = await join(cluster, options[0])
    await cluster.until(at('15:10:00'))
    cluster.ran.splice(0)
    let fresh = await join(cluster, options[1])
    for (const minute of ['20', '30', '40', '50']) {
      await cluster.until(at(`15:${minute}:00`))
      await leave(cluster, old)
      old = await join(cluster, options[0])
      await leave(cluster, fresh)
      fresh = await join(cluster, options[1])
    }
    await cluster.until(at('15:59:00'))
    expect(cluster.ticks).toEqual([])
    await cluster.until(at('16:00:10'))
    expect(cluster.ticks).toEqual([at('16:00:00')])
  })

  it('does not forget by a trigger what is owed', async () => {
    const cluster = new Cluster()
    await cluster.until(5)
    const node = await join(cluster, { every: '1m' })
    await cluster.until(65)
    await leave(cluster, node)
    await cluster.until(170)
    const other = await join(cluster, { every: '1m', catchUp: { window: '1s', max: 1 } })
    await other.scheduler.trigger('job')
    await leave(cluster, other)
    cluster.ran.splice(0)
    await join(cluster, { every: '1m' })
    await cluster.until(175)
    expect(cluster.ticks).toEqual([120])
  })

  it('with a record that another version wrote is known when its last tick is none of the present ones', async () => {
    const cluster = new Cluster()
    await cluster.until(55)
    const request = { name: 'job', owner: 'old', label: 'old', lockAtMostFor: 1_000, tick: MIDNIGHT + 7 * SECOND }
    await cluster.store.acquire([{ ...request, maxClockSkew: 60_000 }])
    await cluster.store.release([{ ...request, lockAtLeastFor: 0 }])
    await join(cluster, { every: '10s' })
    await cluster.until(59)
    expect(cluster.ticks).toEqual([])
  })
})

describe('the mark of a schedule', () => {
  const schedule = readSchedule({ cron: '0 2 * * *' }, 'job')
  const record = (lockedBy: string, lastTick?: number) =>
    ({
      name: 'job',
      lockedBy,
      lockedAt: 0,
      lockUntil: 0,
      fencingToken: 1,
      lastTick,
      tickDone: true,
      storeTime: 0,
    }) as const
  const owner = (since: number): string =>
    `${'0'.repeat(8)}-0000-0000-0000-000000000000`.slice(9).concat('.', markOf(schedule, since))

  it('is read back, held and released, with the longest label, in the width of the column', () => {
    for (const since of [0, MIDNIGHT, Date.UTC(2300, 0)]) {
      const holder = { label: 'a.b#c'.padEnd(MAX_LABEL, 'x'), owner: owner(since) }
      expect(sinceOf(record(holderOf(holder)), schedule)).toBe(since)
      expect(sinceOf(record(releasedHolderOf(holder)), schedule)).toBe(since)
      expect(releasedHolderOf(holder).length).toBeLessThanOrEqual(255)
      expect(sinceOf(record(holderOf(holder)), readSchedule({ cron: '0 3 * * *' }, 'job'))).toBeUndefined()
    }
  })

  it('is missing in what others wrote: then the last tick shows it', () => {
    const two = MIDNIGHT + 2 * 3_600_000
    for (const lockedBy of ['', 'jvm-host', 'a#b', `host:1#${owner(0).slice(0, 27)}`, 'host.0123456789abcdef'])
      expect([
        sinceOf(record(lockedBy), schedule),
        sinceOf(record(lockedBy, two), schedule),
        sinceOf(record(lockedBy, two + 1), schedule),
      ]).toEqual([undefined, two, undefined])
  })
})
