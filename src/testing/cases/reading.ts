import assert from 'node:assert/strict'
import type { CaseGroup } from '../case-group.ts'
import { assertSameRecord } from '../records.ts'
import { acquireAll, granted, readAll, release, SHORT_MS, toAcquire } from '../requests.ts'

const inOrder = (names: readonly string[]): string[] => [...names].sort((a, b) => (a < b ? -1 : 1))

export const reading: CaseGroup = {
  title: 'reading',
  cases: {
    'tells what the store holds, and the time': async (bench) => {
      const first = bench.holder()
      const tick = Math.floor(await bench.now())
      const check = async (what: string) => {
        const { name, storeTime, ...record } = await bench.timely(async () => {
          const [found, ...others] = await readAll(bench.b, [first.name])
          assert.ok(found && others.length === 0)
          return found
        })
        assert.equal(name, first.name)
        assertSameRecord(record, await bench.look(first.name), what)
      }
      await granted(bench.a, first, { tick, metadata: 'why' })
      await check('while held')
      await release(bench.a, first, { tick, lockAtLeastFor: 30_000 })
      await check('while lockAtLeastFor keeps it')
      await bench.a.forceRelease(first.name)
      await check('while free')
    },

    'tells of a lease that lapsed as long as nobody took it: who had it, which tick it left unfinished': async (
      bench,
    ) => {
      const first = bench.holder()
      const tick = Math.floor(await bench.now())
      const lease = await granted(bench.a, first, { tick, lockAtMostFor: SHORT_MS })
      await bench.lapsed(first.name)
      const [record] = await readAll(bench.b, [first.name])
      assert.ok(record && record.lockUntil <= record.storeTime, 'it is read as free')
      assert.deepEqual([record.lastTick, record.tickDone, record.fencingToken], [tick, false, lease.fencingToken])
    },

    'of names answers those that exist, each once, in order of the names': async (bench) => {
      const names = ['b', 'B', 'a10', 'a9', 'a_1', 'a-1', 'A', 'c'].map((hint) => bench.name(hint))
      await acquireAll(
        bench.a,
        names.map((name) => toAcquire(bench.holder(name))),
      )
      const records = await readAll(bench.b, [...names, bench.name('nobody'), ...names])
      assert.deepEqual(
        records.map(({ name }) => name),
        inOrder(names),
      )
      assert.deepEqual(await readAll(bench.b, [bench.name('nobody')]), [])
    },

    'of all answers every record, in order of the names': async (bench) => {
      const names = Array.from({ length: 250 }, (_, index) => bench.name(`${'bBaA_'[index % 5]}${index}`))
      await acquireAll(
        bench.a,
        names.map((name) => toAcquire(bench.holder(name))),
      )
      const all = (await readAll(bench.b)).map(({ name }) => name)
      assert.deepEqual(all, inOrder(all))
      assert.equal(new Set(all).size, all.length, 'each record once')
      const known = new Set(all)
      assert.deepEqual(
        names.filter((name) => !known.has(name)),
        [],
        'records that are missing',
      )
      assert.equal((await readAll(bench.b, names)).length, names.length)
    },

    'changes nothing': async (bench) => {
      const first = bench.holder()
      await granted(bench.a, first)
      await bench.unchanged(first.name, 'reading', async () => {
        await readAll(bench.b, [first.name])
        await readAll(bench.b)
      })
      const nobody = bench.name()
      await readAll(bench.b, [nobody])
      assert.equal(await bench.subject.look(nobody), undefined, 'reading makes no record')
    },
  },
}
