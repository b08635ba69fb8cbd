import assert from 'node:assert/strict'
import type { LockProvider } from '../../provider/contract.ts'
import type { CaseGroup } from '../case-group.ts'
import { assertTime, assertWithin } from '../records.ts'
import {
  acquireAll,
  assertGranted,
  assertRefused,
  extendAll,
  extended,
  granted,
  type Holder,
  readAll,
  release,
  releaseAll,
  SKEW_MS,
  toAcquire,
  toExtend,
  toRelease,
} from '../requests.ts'
import type { TestBed } from '../test-bed.ts'

/** 1,000 requests by 1,000 owners for 400 names, in no order: names occur two or three times. */
function thousand(bench: TestBed): Holder[] {
  const names = Array.from({ length: 400 }, () => bench.name())
  return Array.from({ length: 1_000 }, (_, index) => bench.holder(names[(index * 7) % names.length]))
}

const acquireFor = (node: LockProvider, holders: readonly Holder[]) =>
  acquireAll(
    node,
    holders.map((holder) => toAcquire(holder)),
  )
const extendFor = (node: LockProvider, holders: readonly Holder[]) =>
  extendAll(
    node,
    holders.map((holder) => toExtend(holder)),
  )
const releaseFor = (node: LockProvider, holders: readonly Holder[]) =>
  releaseAll(
    node,
    holders.map((holder) => toRelease(holder)),
  )

export const batches: CaseGroup = {
  title: 'a batch is many requests, each decided on its own',
  cases: {
    'of 1,000 requests in which names occur twice and more, the first for each name is granted, answers come in order':
      async (bench) => {
        const holders = thousand(bench)
        const seen = new Set<string>()
        const results = await acquireFor(bench.a, holders)
        assert.equal(results.length, holders.length)
        const winners = holders.map((holder, index) => {
          const result = results[index]
          assert.ok(result)
          const first = !seen.has(holder.name)
          seen.add(holder.name)
          if (first) assertGranted(result, holder)
          else assert.equal(assertRefused(result, 'held').record?.name, holder.name)
          return first
        })
        const leases = await extendFor(bench.b, holders)
        assert.deepEqual(
          leases.map((lease) => lease?.owner),
          holders.map(({ owner }, index) => (winners[index] ? owner : undefined)),
        )
        assert.deepEqual(await releaseFor(bench.b, holders), winners)
      },

    'requests for one name within a batch are decided one after another': async (bench) => {
      const { a } = bench
      const [first, second] = [bench.holder(), bench.holder()]
      const rival = bench.holder(first.name)
      const results = await acquireFor(a, [first, rival, second, first])
      const lease = assertGranted(results[0] ?? assert.fail(), first)
      assert.equal(assertRefused(results[1] ?? assert.fail(), 'held').record?.fencingToken, lease.fencingToken)
      assertGranted(results[2] ?? assert.fail(), second)
      assert.equal(assertGranted(results[3] ?? assert.fail(), first).fencingToken, lease.fencingToken)

      const longer = await extendAll(a, [
        toExtend(first, { lockAtMostFor: 70_000 }),
        toExtend(rival),
        toExtend(first, { lockAtMostFor: 65_000 }),
      ])
      assert.equal(longer[1], undefined)
      assertTime(longer[2]?.lockUntil ?? 0, longer[0]?.lockUntil ?? 1, 'the second extension must not undo the first')

      assert.deepEqual(await releaseFor(a, [rival, first, rival, first]), [false, true, false, true])
    },

    'each request gets the answer that it would get alone': async (bench) => {
      const { a, b } = bench
      const tick = Math.floor(await bench.now()) - 1_000
      const [held, done, ahead, free] = [bench.holder(), bench.holder(), bench.holder(), bench.holder()]
      await granted(a, held)
      await granted(a, done, { tick })
      await release(a, done, { tick })
      const asked = [
        toAcquire(bench.holder(held.name)),
        toAcquire(bench.holder(done.name), { tick }),
        toAcquire(ahead, { tick: tick + SKEW_MS + 60_000 }),
        toAcquire(free, { tick, lockAtMostFor: 20_000, metadata: 'free' }),
        toAcquire(held),
        toAcquire(bench.holder(done.name), { tick: tick + 1, lockAtMostFor: 40_000 }),
      ]
      const results = await acquireAll(b, asked)
      assert.deepEqual(
        results.map((result) => (result.granted ? result.lease.name : result.reason)),
        ['held', 'tick-taken', 'clock-ahead', free.name, held.name, done.name],
      )
      const record = await bench.look(free.name)
      assert.deepEqual([record.lastTick, record.metadata], [tick, 'free'])
      assertTime(record.lockUntil - record.lockedAt, 20_000, 'the length of a lease')
      const other = await bench.look(done.name)
      assert.deepEqual([other.lastTick, other.metadata], [tick + 1, undefined])
      assertTime(other.lockUntil - other.lockedAt, 40_000, 'the length of another lease')
    },

    'requests of a batch keep their own durations and ticks, in extensions and releases': async (bench) => {
      const tick = Math.floor(await bench.now()) - 1_000
      const holders = Array.from({ length: 6 }, () => bench.holder())
      await acquireAll(
        bench.a,
        holders.map((holder) => toAcquire(holder, { tick })),
      )
      const from = await bench.now()
      const longer = await extendAll(
        bench.a,
        holders.map((holder, index) => toExtend(holder, { lockAtMostFor: 100_000 + index * 100_000 })),
      )
      for (const [index, lease] of longer.entries()) {
        assert.ok(lease)
        const start = lease.lockUntil - 100_000 - index * 100_000
        assertWithin(start, from - bench.clockError, lease.storeTime, `the start of extension ${index}`)
      }
      const asked = holders.map((holder, index) =>
        toRelease(holder, { lockAtLeastFor: 30_000 + index * 1_000, ...(index % 2 ? { tick } : {}) }),
      )
      assert.deepEqual(
        await releaseAll(bench.a, asked),
        holders.map(() => true),
      )
      for (const [index, { name }] of holders.entries()) {
        const record = await bench.look(name)
        assertTime(record.lockUntil - record.lockedAt, 30_000 + index * 1_000, `release ${index}`)
        assert.equal(record.tickDone, index % 2 === 1, `release ${index}`)
      }
    },

    'batches in opposite orders from several nodes at once neither deadlock nor fail': async (bench) => {
      const names = Array.from({ length: 150 }, () => bench.name())
      for (let round = 0; round < 5; round++) {
        const asked = [bench.a, bench.b].map((node, index) => {
          const holders = names.map((name) => bench.holder(name))
          return { node, holders: index ? holders.reverse() : holders }
        })
        const results = await Promise.all(asked.map(({ node, holders }) => acquireFor(node, holders)))
        const winners = asked.flatMap(({ holders }, side) => holders.filter((_, i) => results[side]?.[i]?.granted))
        assert.equal(winners.length, names.length, 'grants')
        assert.equal(new Set(winners.map(({ name }) => name)).size, names.length, 'names that were granted')
        const backwards = [...winners].reverse()
        await Promise.all([extendFor(bench.a, winners), extendFor(bench.b, backwards)])
        const freed = await Promise.all([releaseFor(bench.a, backwards), releaseFor(bench.b, winners)])
        assert.ok(freed.flat().every(Boolean), 'each release is by the owner')
      }
    },

    'a batch sent again by the same owners gets the same grants': async (bench) => {
      const holders = Array.from({ length: 20 }, () => bench.holder())
      const [before, after] = [await acquireFor(bench.a, holders), await acquireFor(bench.b, holders)]
      const tokens = (results: typeof before) => results.map((result) => result.granted && result.lease.fencingToken)
      assert.deepEqual(tokens(after), tokens(before))
      for (const holder of holders) await extended(bench.a, holder)
    },

    'an empty batch is answered with an empty one': async ({ a }) => {
      assert.deepEqual(await acquireAll(a, []), [])
      assert.deepEqual(await extendAll(a, []), [])
      assert.deepEqual(await releaseAll(a, []), [])
      assert.deepEqual(await readAll(a, []), [])
    },
  },
}
