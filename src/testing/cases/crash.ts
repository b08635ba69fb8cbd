import assert from 'node:assert/strict'
import type { CaseGroup } from '../case-group.ts'
import { assertSameRecord } from '../records.ts'
import type { Holder } from '../requests.ts'
import { acquire, granted, refused, release, SHORT_MS, toRelease } from '../requests.ts'
import type { TestBed } from '../test-bed.ts'

/** A holder that took a tick and was never heard of again. */
async function crashed(bench: TestBed): Promise<{ tick: number; gone: Holder; token: number }> {
  const gone = bench.holder()
  const tick = Math.floor(await bench.now()) - 1_000
  const { fencingToken } = await granted(bench.a, gone, { tick, lockAtMostFor: SHORT_MS })
  await bench.lapsed(gone.name)
  return { tick, gone, token: fencingToken }
}

export const crash: CaseGroup = {
  title: 'a crash is told from an end',
  cases: {
    'a release marks its tick as done': async (bench) => {
      const first = bench.holder()
      const tick = Math.floor(await bench.now())
      await granted(bench.a, first, { tick })
      assert.equal((await bench.look(first.name)).tickDone, false)
      await release(bench.a, first, { tick })
      assert.equal((await bench.look(first.name)).tickDone, true)
      await granted(bench.b, bench.holder(first.name), { tick: tick + 1 })
      assert.equal((await bench.look(first.name)).tickDone, false, 'the next tick is not done')
    },

    'a run that ends after its lease was released without its tick marks it, alone or in a batch': async (bench) => {
      const tick = Math.floor(await bench.now())
      const [alone, first, second] = [bench.holder(), bench.holder(), bench.holder()]
      for (const holder of [alone, first, second]) {
        await granted(bench.a, holder, { tick })
        assert.equal(await release(bench.a, holder), true)
        assert.equal((await bench.look(holder.name)).tickDone, false, 'a release without a tick marks none')
      }
      assert.equal(await release(bench.a, alone, { tick: tick - 1 }), true)
      assert.equal((await bench.look(alone.name)).tickDone, false, 'another tick is not its own')
      assert.equal(await release(bench.a, alone, { tick }), true)
      const both = [first, second].map((holder) => toRelease(holder, { tick }))
      assert.deepEqual(await bench.a.release(both), [true, true])
      for (const holder of [alone, first, second]) {
        assert.equal((await bench.look(holder.name)).tickDone, true)
        await bench.unchanged(holder.name, 'the same release once more', async () =>
          assert.equal(await release(bench.a, holder, { tick }), true),
        )
        await refused(bench.b, bench.holder(holder.name), 'tick-taken', { tick, onCrash: 'rerun' })
      }
    },

    'a run whose lease was released without its tick does not mark the tick that another reruns': async (bench) => {
      const tick = Math.floor(await bench.now())
      const first = bench.holder()
      await granted(bench.a, first, { tick })
      await release(bench.a, first)
      await granted(bench.b, bench.holder(first.name), { tick, onCrash: 'rerun' })
      await bench.unchanged(first.name, 'a release of the earlier run', async () =>
        assert.equal(await release(bench.a, first, { tick }), false),
      )
    },

    'a release marks no tick but its own': async (bench) => {
      const { tick, gone } = await crashed(bench)
      for (const other of [undefined, tick - 1, tick + 1]) {
        const trigger = bench.holder(gone.name)
        await granted(bench.b, trigger)
        assert.equal((await bench.look(gone.name)).tickDone, false, 'a grant without a tick marks none')
        assert.equal(await release(bench.b, trigger, { tick: other }), true)
        const { lastTick, tickDone } = await bench.look(gone.name)
        assert.deepEqual([lastTick, tickDone], [tick, false], 'the crashed tick is still not done')
      }
      await granted(bench.b, bench.holder(gone.name), { tick, onCrash: 'rerun' })
    },

    'what was done stays done over grants that take no tick': async (bench) => {
      const first = bench.holder()
      const tick = Math.floor(await bench.now())
      await granted(bench.a, first, { tick })
      await release(bench.a, first, { tick })
      const trigger = bench.holder(first.name)
      await granted(bench.b, trigger)
      assert.equal((await bench.look(first.name)).tickDone, true)
      await release(bench.b, trigger)
      assert.equal((await bench.look(first.name)).tickDone, true)
      await refused(bench.b, bench.holder(first.name), 'tick-taken', { tick, onCrash: 'rerun' })
    },

    'a crashed tick that is to be rerun is granted to exactly one of many nodes, with a higher token': async (
      bench,
    ) => {
      for (let round = 0; round < 3; round++) {
        const { tick, gone, token } = await crashed(bench)
        const ask = bench.nodes.map((node) => acquire(node, bench.holder(gone.name), { tick, onCrash: 'rerun' }))
        const results = await Promise.all(ask)
        const [lease, ...others] = results.flatMap((result) => (result.granted ? [result.lease] : []))
        assert.ok(lease, 'no node took the crashed tick over')
        assert.equal(others.length, 0, `${others.length + 1} nodes took one crashed tick over`)
        assert.ok(lease.fencingToken > token, 'the token tells the two runs of the tick apart')
        for (const result of results) assert.ok(result.granted || result.reason === 'tick-taken')
      }
    },

    'a tick is not rerun while its holder has an unexpired lease': async (bench) => {
      const first = bench.holder()
      const tick = Math.floor(await bench.now())
      await granted(bench.a, first, { tick })
      const { record } = await refused(bench.b, bench.holder(first.name), 'tick-taken', { tick, onCrash: 'rerun' })
      assert.equal(record?.tickDone, false, 'the record tells that asking again later may succeed')
    },

    'a tick that was done is not rerun, and neither is one that was rerun and done': async (bench) => {
      const { tick, gone } = await crashed(bench)
      const second = bench.holder(gone.name)
      await granted(bench.b, second, { tick, onCrash: 'rerun' })
      await refused(bench.a, bench.holder(gone.name), 'tick-taken', { tick, onCrash: 'rerun' })
      await release(bench.b, second, { tick })
      const { record } = await refused(bench.a, bench.holder(gone.name), 'tick-taken', { tick, onCrash: 'rerun' })
      assert.equal(record?.tickDone, true, 'the record tells that there is nothing to wait for')
    },

    'a tick earlier than the crashed one is not rerun; a later one is granted as ever': async (bench) => {
      const { tick, gone } = await crashed(bench)
      await refused(bench.b, bench.holder(gone.name), 'tick-taken', { tick: tick - 1, onCrash: 'rerun' })
      await granted(bench.b, bench.holder(gone.name), { tick: tick + 1, onCrash: 'rerun' })
    },

    'a crashed tick is not rerun while another grant, which took no tick, is held': async (bench) => {
      const { tick, gone } = await crashed(bench)
      const trigger = bench.holder(gone.name)
      await granted(bench.a, trigger)
      await refused(bench.b, bench.holder(gone.name), 'tick-taken', { tick, onCrash: 'rerun' })
      await release(bench.a, trigger)
      await granted(bench.b, bench.holder(gone.name), { tick, onCrash: 'rerun' })
    },

    'a release after the expiry marks the tick as done while nobody took the lock over, and changes nothing else':
      async (bench) => {
        const { tick, gone } = await crashed(bench)
        const before = await bench.look(gone.name)
        for (const other of [undefined, tick - 1, tick + 1])
          await bench.unchanged(gone.name, 'a late release of another tick', () =>
            release(bench.a, gone, { tick: other, lockAtLeastFor: 120_000 }),
          )
        for (const node of [bench.a, bench.b]) {
          assert.equal(
            await release(node, gone, { tick, lockAtLeastFor: 120_000 }),
            false,
            'its lease is over all the same',
          )
          assertSameRecord(
            await bench.look(gone.name),
            { ...before, tickDone: true },
            'the record after a late release',
          )
        }
        await refused(bench.b, bench.holder(gone.name), 'tick-taken', { tick, onCrash: 'rerun' })
        await granted(bench.b, bench.holder(gone.name), { tick: tick + 1 })
      },

    'a grant says whether it is a rerun of a tick that another owner left unfinished': async (bench) => {
      const { tick, gone } = await crashed(bench)
      const second = bench.holder(gone.name)
      const first = await acquire(bench.a, second, { tick, lockAtMostFor: SHORT_MS, onCrash: 'rerun' })
      assert.ok(first.granted)
      assert.equal(first.rerun === true, true, 'the tick was granted to another owner before')
      const fresh = await acquire(bench.a, bench.holder(), { tick })
      assert.ok(fresh.granted)
      assert.equal(fresh.rerun === true, false, 'the first grant of a name is no rerun')
      await bench.lapsed(gone.name)
      const later = await acquire(bench.b, bench.holder(gone.name), { tick: tick + 1, onCrash: 'rerun' })
      assert.ok(later.granted)
      assert.equal(later.rerun === true, false, 'a later tick is no rerun')
    },

    'a crashed holder that comes back late can neither release nor mark the tick that another reruns': async (
      bench,
    ) => {
      const { tick, gone } = await crashed(bench)
      await granted(bench.b, bench.holder(gone.name), { tick, onCrash: 'rerun' })
      await bench.unchanged(gone.name, 'a late release', async () =>
        assert.equal(await release(bench.a, gone, { tick }), false),
      )
      await bench.unchanged(gone.name, 'a late acquisition', () => refused(bench.a, gone, 'tick-taken', { tick }))
    },
  },
}
