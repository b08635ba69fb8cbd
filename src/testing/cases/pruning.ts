import assert from 'node:assert/strict'
import { holderOf } from '../../provider/holder.ts'
import type { CaseGroup } from '../case-group.ts'
import { acquireAll, granted, readAll, release, releaseAll, SHORT_MS, toAcquire, toRelease } from '../requests.ts'

export const pruning: CaseGroup = {
  title: 'pruning',
  cases: {
    'drops what has been free, and past its last tick, for so long, and nothing else': async (bench) => {
      const { a } = bench
      const now = Math.floor(await bench.now())
      const [released, lapsed, done] = [bench.holder(), bench.holder(), bench.holder()]
      const [held, kept, ticking] = [bench.holder(), bench.holder(), bench.holder()]
      for (const each of [released, held, kept]) await granted(a, each)
      await granted(a, lapsed, { lockAtMostFor: SHORT_MS })
      await granted(a, done, { tick: now - 1_000 })
      await granted(a, ticking, { tick: now + 30_000 })
      for (const each of [released, done, ticking]) await release(a, each)
      await release(a, kept, { lockAtLeastFor: 60_000 })
      await bench.lapsed(lapsed.name)
      await bench.until((await bench.now()) + 60)

      const before = await readAll(a)
      const dropped = await bench.b.prune(50)
      const after = await readAll(a)
      assert.equal(dropped, before.length - after.length, 'prune answers how many records it dropped')
      for (const { name } of [released, lapsed, done]) assert.equal(await bench.subject.look(name), undefined)
      for (const { name } of [held, kept, ticking]) await bench.look(name)
      assert.equal(await release(a, held), true, 'the holder of a lock that was not dropped still holds it')
    },

    'keeps what was used less long ago': async (bench) => {
      const first = bench.holder()
      await granted(bench.a, first)
      await release(bench.a, first)
      await bench.unchanged(first.name, 'pruning what is older than a minute', () => bench.b.prune(60_000))
    },

    'of a name makes its next token higher than all before': async (bench) => {
      const first = bench.holder()
      const lease = await granted(bench.a, first)
      await release(bench.a, first)
      await bench.until((await bench.now()) + 10)
      await bench.a.prune(5)
      assert.equal(await bench.subject.look(first.name), undefined)
      const next = await granted(bench.b, bench.holder(first.name))
      assert.ok(next.fencingToken > lease.fencingToken, `${next.fencingToken} after ${lease.fencingToken}`)
    },

    'drops no lock that is granted at the same time': async (bench) => {
      const names = Array.from({ length: 20 }, () => bench.name())
      for (let round = 0; round < 10; round++) {
        const holders = names.map((name) => bench.holder(name))
        const [, results] = await Promise.all([
          bench.b.prune(1),
          acquireAll(
            bench.a,
            holders.map((holder) => toAcquire(holder)),
          ),
          bench.b.prune(1),
        ])
        for (const [index, holder] of holders.entries()) {
          assert.ok(results[index]?.granted)
          assert.equal((await bench.look(holder.name)).lockedBy, holderOf(holder))
        }
        await releaseAll(
          bench.a,
          holders.map((holder) => toRelease(holder)),
        )
        await bench.until((await bench.now()) + 3)
      }
    },
  },
}
