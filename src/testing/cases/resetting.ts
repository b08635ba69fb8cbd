import assert from 'node:assert/strict'
import type { CaseGroup } from '../case-group.ts'
import { acquire, granted, refused, release, SKEW_MS } from '../requests.ts'

const HOUR = 3_600_000

export const resetting: CaseGroup = {
  title: 'a reset',
  cases: {
    'of a record in order changes nothing': async (bench) => {
      const holder = bench.holder()
      const tick = Math.floor(await bench.now()) + SKEW_MS - 10_000
      await granted(bench.a, holder, { tick })
      await bench.unchanged(holder.name, 'a reset of a record in order', async () =>
        assert.equal(await bench.b.reset({ name: holder.name, maxClockSkew: SKEW_MS }), false),
      )
      assert.equal(await bench.b.reset({ name: bench.name(), maxClockSkew: SKEW_MS }), false, 'a name never used')
    },

    'sets a last tick in the future back to the present, done, so that ticks are granted again': async (bench) => {
      const holder = bench.holder()
      const ahead = Math.floor(await bench.now()) + HOUR
      await granted(bench.a, holder, { tick: ahead, maxClockSkew: 2 * HOUR })
      await release(bench.a, holder, { tick: ahead })
      await refused(bench.b, bench.holder(holder.name), 'tick-taken', { tick: Math.floor(await bench.now()) })
      const before = await bench.now()
      const { fencingToken } = await bench.look(holder.name)
      assert.equal(await bench.b.reset({ name: holder.name, maxClockSkew: SKEW_MS }), true)
      const record = await bench.look(holder.name)
      assert.ok(
        record.lastTick !== undefined &&
          record.lastTick >= Math.floor(before) - 1 - bench.clockError &&
          record.lastTick < ahead,
      )
      assert.equal(record.tickDone, true)
      await refused(bench.b, bench.holder(holder.name), 'tick-taken', { tick: record.lastTick, onCrash: 'rerun' })
      const next = await granted(bench.b, bench.holder(holder.name), { tick: record.lastTick + 1 })
      assert.ok(next.fencingToken > fencingToken, 'the fencing token stays')
    },

    'leaves the lease': async (bench) => {
      const holder = bench.holder()
      const ahead = Math.floor(await bench.now()) + HOUR
      const lease = await granted(bench.a, holder, { tick: ahead, maxClockSkew: 2 * HOUR })
      assert.equal(await bench.b.reset({ name: holder.name, maxClockSkew: SKEW_MS }), true)
      const again = await acquire(bench.a, holder)
      assert.ok(again.granted && again.lease.fencingToken === lease.fencingToken, 'the holder still has it')
    },
  },
}
