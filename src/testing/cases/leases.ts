import assert from 'node:assert/strict'
import type { CaseGroup } from '../case-group.ts'
import { assertTime } from '../records.ts'
import { acquire, extended, granted, refused, release, SHORT_MS } from '../requests.ts'

export const leases: CaseGroup = {
  title: 'extensions and lockAtLeastFor',
  cases: {
    'an extension lasts from the time at which it is made, and keeps token and time of acquisition': async (bench) => {
      const first = bench.holder()
      const lease = await granted(bench.a, first, { lockAtMostFor: 30_000 })
      await bench.until(lease.acquiredAt + 40)
      const longer = await bench.lasting(40_000, () => extended(bench.a, first, { lockAtMostFor: 40_000 }))
      assertTime(longer.acquiredAt, lease.acquiredAt, 'acquiredAt')
      assert.equal(longer.fencingToken, lease.fencingToken)
      const record = await bench.look(first.name)
      assertTime(record.lockUntil, longer.lockUntil, 'lockUntil in the store')
      assertTime(record.lockedAt, lease.acquiredAt, 'lockedAt in the store')
    },

    'an extension that was held up on its way does not shorten the lease': async (bench) => {
      const first = bench.holder()
      const lease = await granted(bench.a, first, { lockAtMostFor: 30_000 })
      for (const mayShortenUntil of [undefined, lease.storeTime - 1_000, lease.storeTime - 1]) {
        const still = await extended(bench.b, first, { lockAtMostFor: 1_000, mayShortenUntil })
        assertTime(still.lockUntil, lease.lockUntil, 'lockUntil')
        assertTime((await bench.look(first.name)).lockUntil, lease.lockUntil, 'lockUntil in the store')
      }
    },

    'an extension that arrives in time may make the lease shorter': async (bench) => {
      const first = bench.holder()
      const lease = await granted(bench.a, first)
      const asked = { lockAtMostFor: 20_000, mayShortenUntil: lease.storeTime + 30_000 }
      const shorter = await bench.lasting(20_000, () => extended(bench.a, first, asked))
      assertTime((await bench.look(first.name)).lockUntil, shorter.lockUntil, 'lockUntil in the store')
    },

    'an extension never ends the lease before lockAtLeastFor from the acquisition': async (bench) => {
      const first = bench.holder()
      const lease = await granted(bench.a, first)
      const mayShortenUntil = lease.storeTime + 30_000
      await bench.until(lease.acquiredAt + 40)
      for (const lockAtLeastFor of [40_000, 80_000]) {
        const kept = await extended(bench.a, first, { lockAtMostFor: 1_000, lockAtLeastFor, mayShortenUntil })
        assertTime(kept.lockUntil, lease.acquiredAt + lockAtLeastFor, 'lockUntil')
      }
    },

    'a release frees the lock at once when lockAtLeastFor is over or none is asked for': async (bench) => {
      for (const lockAtLeastFor of [0, 10]) {
        const first = bench.holder()
        const lease = await granted(bench.a, first)
        await bench.until(lease.acquiredAt + lockAtLeastFor)
        assert.equal(await release(bench.a, first, { lockAtLeastFor }), true)
        assert.ok((await bench.look(first.name)).lockUntil <= (await bench.now()) + 1, 'the lock is free in the store')
        await granted(bench.b, bench.holder(first.name))
      }
    },

    'a release keeps the lock taken until lockAtLeastFor from the acquisition, then it is free': async (bench) => {
      const first = bench.holder()
      const lease = await granted(bench.a, first)
      assert.equal(await release(bench.a, first, { lockAtLeastFor: SHORT_MS }), true)
      const freeAt = lease.acquiredAt + SHORT_MS
      const result = await acquire(bench.b, bench.holder(first.name))
      // A slow machine may have taken longer than that to ask; a grant before that time is wrong on any.
      if (result.granted) assert.ok(result.lease.storeTime > freeAt - 1, 'granted before lockAtLeastFor was over')
      else {
        assert.equal(result.reason, 'held')
        assertTime(result.record?.lockUntil ?? 0, freeAt, 'lockUntil of the refusal')
        await bench.lapsed(first.name)
        await granted(bench.b, bench.holder(first.name))
      }
    },

    'lockAtLeastFor counts from the original acquisition, also after extensions': async (bench) => {
      const first = bench.holder()
      const lease = await granted(bench.a, first)
      for (const pause of [30, 60]) {
        await bench.until(lease.acquiredAt + pause)
        await extended(bench.a, first, { lockAtMostFor: 90_000, lockAtLeastFor: 30_000 })
      }
      assert.equal(await release(bench.b, first, { lockAtLeastFor: 30_000 }), true)
      assertTime((await bench.look(first.name)).lockUntil, lease.acquiredAt + 30_000, 'lockUntil after the release')
      await refused(bench.b, bench.holder(first.name), 'held')
    },

    'lockAtLeastFor keeps the lock taken also when the lease would have ended before': async (bench) => {
      const first = bench.holder()
      const lease = await granted(bench.a, first, { lockAtMostFor: 20_000 })
      assert.equal(await release(bench.a, first, { lockAtLeastFor: 50_000 }), true)
      assertTime((await bench.look(first.name)).lockUntil, lease.acquiredAt + 50_000, 'lockUntil after the release')
    },
  },
}
