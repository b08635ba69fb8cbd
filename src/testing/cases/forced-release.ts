import assert from 'node:assert/strict'
import type { CaseGroup } from '../case-group.ts'
import { acquire, extend, granted, refused, release, SHORT_MS } from '../requests.ts'

export const forcedRelease: CaseGroup = {
  title: 'a forced release',
  cases: {
    'frees a lock whoever has it; its holder can do nothing any more, and the next token is higher': async (bench) => {
      const first = bench.holder()
      const tick = Math.floor(await bench.now())
      const lease = await granted(bench.a, first, { tick })
      assert.equal(await bench.b.forceRelease(first.name), true)
      const record = await bench.look(first.name)
      assert.ok(record.lockUntil <= (await bench.now()) + 1, 'the lock is free in the store')
      assert.deepEqual([record.fencingToken, record.lastTick], [lease.fencingToken, tick], 'token and tick stay')
      await bench.unchanged(first.name, 'what the old holder asks for', async () => {
        assert.equal(await extend(bench.a, first), undefined)
        assert.equal(await release(bench.a, first), false)
      })
      await refused(bench.b, bench.holder(first.name), 'tick-taken', { tick })
      const next = await granted(bench.b, bench.holder(first.name), { tick: tick + 1 })
      assert.ok(next.fencingToken > lease.fencingToken)
      await bench.unchanged(first.name, 'what the old holder asks for', async () => {
        assert.equal(await extend(bench.a, first), undefined)
        assert.equal(await release(bench.a, first, { tick }), false)
      })
    },

    'frees a lock that lockAtLeastFor keeps taken': async (bench) => {
      const first = bench.holder()
      await granted(bench.a, first)
      await release(bench.a, first, { lockAtLeastFor: 30_000 })
      assert.equal(await bench.b.forceRelease(first.name), true)
      await granted(bench.b, bench.holder(first.name))
    },

    'is answered with false when nobody has the lock, and changes nothing': async (bench) => {
      assert.equal(await bench.a.forceRelease(bench.name()), false, 'a name never used')
      const released = bench.holder()
      await granted(bench.a, released)
      await release(bench.a, released)
      const lapsed = bench.holder()
      await granted(bench.a, lapsed, { lockAtMostFor: SHORT_MS })
      await bench.lapsed(lapsed.name)
      for (const { name } of [released, lapsed]) {
        await bench.unchanged(name, 'a forced release of a free lock', async () =>
          assert.equal(await bench.b.forceRelease(name), false),
        )
      }
    },

    'frees no other name': async (bench) => {
      const [first, other] = [bench.holder(), bench.holder()]
      await granted(bench.a, first)
      await granted(bench.a, other)
      await bench.unchanged(other.name, 'a forced release of another name', () => bench.b.forceRelease(first.name))
    },

    'is not undone by an extension at the same time': async (bench) => {
      for (let round = 0; round < 20; round++) {
        const first = bench.holder()
        await granted(bench.a, first)
        const [freed] = await Promise.all([bench.b.forceRelease(first.name), extend(bench.a, first)])
        assert.equal(freed, true)
        const { granted: free } = await acquire(bench.b, bench.holder(first.name))
        assert.equal(free, true, 'an extension took back a lock that was freed by force')
      }
    },
  },
}
