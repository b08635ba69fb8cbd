import assert from 'node:assert/strict'
import type { CaseGroup } from '../case-group.ts'
import { assertTime } from '../records.ts'
import { acquire, assertGranted, extend, extended, granted, refused, release, SHORT_MS } from '../requests.ts'

export const lostReply: CaseGroup = {
  title: 'a lost reply is harmless',
  cases: {
    'an acquisition repeated by the same owner gets the same grant: token, time of acquisition, end': async (bench) => {
      const first = bench.holder()
      const tick = Math.floor(await bench.now())
      const lease = await granted(bench.a, first, { tick })
      const again = await bench.unchanged(first.name, 'a repeated acquisition', () => granted(bench.b, first, { tick }))
      assert.equal(again.fencingToken, lease.fencingToken)
      assertTime(again.acquiredAt, lease.acquiredAt, 'acquiredAt')
      assertTime(again.lockUntil, lease.lockUntil, 'lockUntil')
      assert.ok(again.storeTime >= lease.storeTime - bench.clockError, 'the answer tells the time at which it was made')
    },

    'an acquisition that arrives again after an extension does not undo it': async (bench) => {
      const first = bench.holder()
      const lease = await granted(bench.a, first)
      const longer = await extended(bench.a, first, { lockAtMostFor: 120_000 })
      const again = await bench.unchanged(first.name, 'a repeated acquisition', () => granted(bench.b, first))
      assertTime(again.lockUntil, longer.lockUntil, 'lockUntil')
      assert.equal(again.fencingToken, lease.fencingToken)
    },

    'the same acquisition sent by several connections at once is one grant': async (bench) => {
      for (let round = 0; round < 10; round++) {
        const first = bench.holder()
        const results = await Promise.all(bench.nodes.map((node) => acquire(node, first)))
        const tokens = new Set(results.map((result) => assertGranted(result, first).fencingToken))
        assert.equal(tokens.size, 1, 'one owner has one fencing token')
      }
    },

    'an owner whose lease lapsed while it asked for its tick again is granted it anew, with a higher token': async (
      bench,
    ) => {
      const first = bench.holder()
      const tick = Math.floor(await bench.now())
      const lease = await granted(bench.a, first, { tick, lockAtMostFor: SHORT_MS })
      await bench.lapsed(first.name)
      const again = await granted(bench.a, first, { tick })
      assert.ok(again.fencingToken > lease.fencingToken, 'another node may have been granted the lock in between')
      assert.ok(again.acquiredAt >= lease.lockUntil - 1, 'the lease counts from the new grant')
      await refused(bench.b, bench.holder(first.name), 'tick-taken', { tick })
    },

    'late duplicates of requests by an owner that released change nothing, and free nothing': async (bench) => {
      const first = bench.holder()
      await granted(bench.a, first)
      assert.equal(await release(bench.a, first), true)
      await bench.unchanged(first.name, 'a late duplicate of an acquisition', () => refused(bench.b, first, 'held'))
      await bench.unchanged(first.name, 'a late duplicate of an extension', async () =>
        assert.equal(await extend(bench.b, first), undefined),
      )
      await granted(bench.b, bench.holder(first.name))
    },

    'late duplicates change nothing also while lockAtLeastFor keeps the lock taken': async (bench) => {
      const first = bench.holder()
      const tick = Math.floor(await bench.now())
      await granted(bench.a, first, { tick })
      assert.equal(await release(bench.a, first, { tick, lockAtLeastFor: 30_000 }), true)
      await bench.unchanged(first.name, 'a late duplicate', async () => {
        await refused(bench.b, first, 'held')
        await refused(bench.b, first, 'tick-taken', { tick })
        await refused(bench.b, first, 'tick-taken', { tick, onCrash: 'rerun' })
        assert.equal(
          await extend(bench.b, first, { mayShortenUntil: (await bench.now()) + 60_000, lockAtMostFor: 1 }),
          undefined,
        )
      })
    },

    'a release repeated by the same owner is answered with true and changes nothing': async (bench) => {
      for (const lockAtLeastFor of [0, 30_000]) {
        const first = bench.holder()
        await granted(bench.a, first)
        assert.equal(await release(bench.a, first, { lockAtLeastFor }), true)
        await bench.unchanged(first.name, 'a repeated release', async () => {
          assert.equal(await release(bench.b, first, { lockAtLeastFor }), true)
          assert.equal(await release(bench.b, first, { lockAtLeastFor: lockAtLeastFor + 60_000 }), true)
        })
      }
    },

    'a release repeated after the next grant frees nothing': async (bench) => {
      const first = bench.holder()
      await granted(bench.a, first)
      await release(bench.a, first)
      const next = bench.holder(first.name)
      await granted(bench.b, next)
      await bench.unchanged(first.name, 'a late release', () => release(bench.a, first))
      await extended(bench.b, next)
    },
  },
}
