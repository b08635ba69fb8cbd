import assert from 'node:assert/strict'
import type { LockProvider } from '../../provider/contract.ts'
import type { CaseGroup } from '../case-group.ts'
import { assertTime } from '../records.ts'
import { acquire, extend, extended, granted, readAll, refused, release, SHORT_MS, SKEW_MS } from '../requests.ts'
import { onShiftedClock } from '../shifted-clock.ts'
import type { TestBed } from '../test-bed.ts'

const FIVE_MINUTES = 300_000

/** For a node whose clock is 5 minutes ahead, and for one whose clock is as much behind. */
async function eachSkewed(bench: TestBed, judge: (node: LockProvider, skew: number) => Promise<void>): Promise<void> {
  for (const skew of [FIVE_MINUTES, -FIVE_MINUTES]) {
    const node = await onShiftedClock(skew, () => bench.subject.connect())
    try {
      await judge(node, skew)
    } finally {
      await node.close()
    }
  }
}

export const clocks: CaseGroup = {
  title: 'clocks of clients that are 5 minutes ahead or behind decide nothing',
  leftOut: ({ clock }) => (clock === 'machine' ? "the clock of the machine decides, and is the nodes' own" : undefined),
  cases: {
    'a lease counts from the clock of the store, and so does its extension': (bench) =>
      eachSkewed(bench, async (node) => {
        const first = bench.holder()
        const lease = await bench.lasting(30_000, () => granted(node, first, { lockAtMostFor: 30_000 }))
        const { lockUntil, lockedAt } = await bench.look(first.name)
        assertTime(lockUntil, lease.lockUntil, 'lockUntil of the grant')
        assertTime(lockedAt, lockUntil - 30_000, 'lockedAt of the grant')
        const longer = await bench.lasting(40_000, () => extended(node, first, { lockAtMostFor: 40_000 }))
        assertTime((await bench.look(first.name)).lockUntil, longer.lockUntil, 'lockUntil of the extension')
        const mayShortenUntil = longer.storeTime + 10_000
        const asked = { lockAtMostFor: 20_000, mayShortenUntil }
        const shorter = await bench.lasting(20_000, () => extended(node, first, asked))
        assertTime((await bench.look(first.name)).lockUntil, shorter.lockUntil, 'lockUntil made shorter')
      }),

    'a lock that is held is refused, also to a node for which its lease seems to be over': (bench) =>
      eachSkewed(bench, async (node) => {
        const first = bench.holder()
        await granted(bench.a, first)
        await bench.timely(() => refused(node, bench.holder(first.name), 'held'))
        await extended(node, first)
        assert.equal(await release(node, first), true)
      }),

    'a lease that lapsed is over, also for a holder for whom it seems to last': (bench) =>
      eachSkewed(bench, async (node) => {
        const first = bench.holder()
        await granted(node, first, { lockAtMostFor: SHORT_MS })
        await bench.lapsed(first.name)
        await bench.unchanged(first.name, 'what comes after the end of a lease', async () => {
          assert.equal(await extend(node, first), undefined)
          assert.equal(await release(node, first), false)
        })
        await granted(node, bench.holder(first.name))
      }),

    'a release frees the lock by the clock of the store': (bench) =>
      eachSkewed(bench, async (node) => {
        const first = bench.holder()
        await granted(node, first)
        assert.equal(await release(node, first), true)
        await granted(bench.a, bench.holder(first.name))
        const second = bench.holder()
        const lease = await granted(node, second)
        assert.equal(await release(node, second, { lockAtLeastFor: 30_000 }), true)
        assertTime((await bench.look(second.name)).lockUntil, lease.acquiredAt + 30_000, 'lockUntil after the release')
      }),

    'whether a tick is too far ahead is decided by the clock of the store': (bench) =>
      eachSkewed(bench, async (node) => {
        const now = Math.floor(await bench.now())
        await granted(node, bench.holder(), { tick: now })
        await granted(node, bench.holder(), { tick: now + SKEW_MS - 1_000 })
        await refused(node, bench.holder(), 'clock-ahead', { tick: now + SKEW_MS + 30_000 })
      }),

    'a tick that was done is not run again by a node whose clock is wrong': (bench) =>
      eachSkewed(bench, async (node) => {
        const first = bench.holder()
        const tick = Math.floor(await bench.now())
        await granted(bench.a, first, { tick })
        await release(bench.a, first, { tick })
        await refused(node, bench.holder(first.name), 'tick-taken', { tick })
        await refused(node, bench.holder(first.name), 'tick-taken', { tick: tick - FIVE_MINUTES })
      }),

    'a fencing token grows whatever clocks the nodes have': async (bench) => {
      const name = bench.name()
      let last = 0
      const grant = async (node: LockProvider) => {
        const holder = bench.holder(name)
        const { fencingToken } = await granted(node, holder)
        assert.ok(fencingToken > last, `${fencingToken} after ${last}`)
        last = fencingToken
        await release(node, holder)
      }
      await eachSkewed(bench, async (node) => {
        await grant(node)
        await bench.subject.lose(name)
        await bench.until((await bench.now()) + 1)
        await grant(bench.a)
      })
    },

    'nodes whose clocks lie 5 minutes apart exclude each other': (bench) =>
      eachSkewed(bench, async (node) => {
        for (let round = 0; round < 10; round++) {
          const name = bench.name()
          const results = await Promise.all([node, bench.a, bench.b].map((each) => acquire(each, bench.holder(name))))
          assert.equal(results.filter(({ granted }) => granted).length, 1, 'nodes that were granted one lock')
        }
      }),

    'reading, forced release and pruning go by the clock of the store': (bench) =>
      eachSkewed(bench, async (node) => {
        const held = bench.holder()
        await granted(bench.a, held)
        const record = await bench.timely(async () => {
          const [found] = await readAll(node, [held.name])
          assert.ok(found)
          return found
        })
        assert.ok(record.lockUntil > record.storeTime, 'a lock that is held is read as held')
        assert.equal(await node.forceRelease(held.name), true)
        await node.prune(120_000)
        assert.ok(await bench.subject.look(held.name), 'what was used just now must not be pruned')
        await granted(bench.a, bench.holder(held.name))
      }),
  },
}
