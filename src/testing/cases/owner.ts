import assert from 'node:assert/strict'
import type { CaseGroup } from '../case-group.ts'
import type { Holder } from '../requests.ts'
import { extend, extended, granted, release, SHORT_MS } from '../requests.ts'
import type { TestBed } from '../test-bed.ts'

/** Neither an extension nor a release by this holder does anything. */
async function canDoNothing(bench: TestBed, holder: Holder): Promise<void> {
  const { a, b } = bench
  await bench.unchanged(holder.name, 'an extension by one who does not hold the lock', async () => {
    assert.equal(await extend(a, holder), undefined)
    assert.equal(await extend(b, holder, { lockAtLeastFor: 120_000, lockAtMostFor: 120_000 }), undefined)
  })
  const tick = (await bench.look(holder.name)).lastTick
  await bench.unchanged(holder.name, 'a release by one who does not hold the lock', async () => {
    assert.equal(await release(a, holder, { tick }), false)
    assert.equal(await release(b, holder, { tick, lockAtLeastFor: 120_000 }), false)
  })
}

export const owner: CaseGroup = {
  title: 'only the owner',
  cases: {
    'one who never held the lock can neither extend nor release it': async (bench) => {
      const first = bench.holder()
      await granted(bench.a, first, { tick: Math.floor(await bench.now()) })
      await canDoNothing(bench, bench.holder(first.name))
      await extended(bench.a, first)
    },

    'a lock that nobody ever held can be neither extended nor released': async (bench) => {
      const nobody = bench.holder()
      assert.equal(await extend(bench.a, nobody), undefined)
      assert.equal(await release(bench.a, nobody), false)
      await granted(bench.b, bench.holder(nobody.name))
    },

    'a holder whose lease expired can neither extend nor release, though nobody took it': async (bench) => {
      const first = bench.holder()
      await granted(bench.a, first, { lockAtMostFor: SHORT_MS })
      await bench.lapsed(first.name)
      await canDoNothing(bench, first)
    },

    'after a takeover the new holder can extend and release, the old one can do neither': async (bench) => {
      const old = bench.holder()
      const tick = Math.floor(await bench.now())
      await granted(bench.a, old, { tick, lockAtMostFor: SHORT_MS })
      await bench.lapsed(old.name)
      const next = bench.holder(old.name)
      const lease = await granted(bench.b, next, { tick: tick + 1 })
      await canDoNothing(bench, old)
      const longer = await extended(bench.b, next, { lockAtMostFor: 90_000 })
      assert.equal(longer.fencingToken, lease.fencingToken)
      await canDoNothing(bench, old)
      assert.equal(await release(bench.b, next, { tick: tick + 1 }), true)
      await canDoNothing(bench, old)
      assert.equal((await bench.look(old.name)).tickDone, true)
    },

    'a holder can extend and release through any node': async (bench) => {
      const first = bench.holder()
      await granted(bench.a, first)
      await extended(bench.b, first)
      assert.equal(await release(bench.b, first), true)
    },

    'an extension and a release at the same time leave the lock free': async (bench) => {
      for (let round = 0; round < 20; round++) {
        const first = bench.holder()
        await granted(bench.a, first)
        const [, freed] = await Promise.all([extend(bench.a, first), release(bench.b, first)])
        assert.equal(freed, true)
        assert.equal(await extend(bench.a, first), undefined)
        await granted(bench.b, bench.holder(first.name))
      }
    },
  },
}
