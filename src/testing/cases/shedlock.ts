import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { CaseGroup } from '../case-group.ts'
import { acquire, extend, granted, type Holder, readAll, refused, release, SHORT_MS } from '../requests.ts'
import type { TestBed } from '../test-bed.ts'

function asShedLock(bench: TestBed, name: string, lockedForMs = 60_000): Promise<boolean> {
  const ask = bench.subject.asShedLock
  assert.ok(typeof ask === 'function')
  return ask(name, lockedForMs)
}

/** Waits for a lock: of a lease of ShedLock's that is over some stores keep nothing that could be read. */
async function eventually(bench: TestBed, holder: Holder, tick?: number) {
  for (;;) {
    const result = await acquire(bench.a, holder, { tick })
    if (result.granted) return result.lease
    assert.ok(
      result.record && result.record.lockUntil - result.storeTime <= SHORT_MS + 5,
      'refused for longer than held',
    )
    await pause(2)
  }
}

export const shedLock: CaseGroup = {
  title: 'a JVM node that uses ShedLock',
  leftOut: (subject) => (typeof subject.asShedLock === 'string' ? subject.asShedLock : undefined),
  cases: {
    'is seen as the holder of what it has locked, and its lock is left alone': async (bench) => {
      const ours = bench.holder()
      const now = await bench.now()
      assert.equal(await asShedLock(bench, ours.name), true)
      await bench.unchanged(ours.name, 'what we ask for while ShedLock has the lock', async () => {
        const { record } = await refused(bench.a, ours, 'held')
        assert.match(record?.lockedBy ?? '', /jvm-host/)
        assert.ok(Math.abs((record?.lockUntil ?? 0) - now - 60_000) < 5_000, 'until when it is held')
        assert.equal(await extend(bench.a, ours), undefined)
        assert.equal(await release(bench.a, ours), false)
        const [read] = await readAll(bench.b, [ours.name])
        assert.match(read?.lockedBy ?? '', /jvm-host/)
        assert.deepEqual([read?.fencingToken, read?.lastTick, read?.tickDone], [0, undefined, false])
      })
    },

    'loses a lock to us when its lease is over': async (bench) => {
      const ours = bench.holder()
      assert.equal(await asShedLock(bench, ours.name, SHORT_MS), true)
      const tick = Math.floor(await bench.now())
      const lease = await eventually(bench, ours, tick)
      assert.ok(lease.fencingToken > 0)
      const record = await bench.look(ours.name)
      assert.deepEqual([record.lastTick, record.tickDone], [tick, false])
      assert.equal(await release(bench.a, ours, { tick }), true)
    },

    'is refused what we have locked, and what lockAtLeastFor keeps, then it is granted': async (bench) => {
      const ours = bench.holder()
      await granted(bench.a, ours)
      await bench.unchanged(ours.name, 'what ShedLock asks for', async () =>
        assert.equal(await asShedLock(bench, ours.name), false),
      )
      await release(bench.a, ours, { lockAtLeastFor: 30_000 })
      assert.equal(await asShedLock(bench, ours.name), false)
      await bench.a.forceRelease(ours.name)
      await bench.lapsed(ours.name)
      assert.equal(await asShedLock(bench, ours.name), true)
    },

    'that takes over a lease of ours which lapsed is safe from us, and our tick and token stay': async (bench) => {
      const ours = bench.holder()
      const tick = Math.floor(await bench.now())
      const lease = await granted(bench.a, ours, { tick, lockAtMostFor: SHORT_MS })
      await bench.lapsed(ours.name)
      assert.equal(await asShedLock(bench, ours.name), true)
      await bench.unchanged(ours.name, 'what we ask for after the takeover', async () => {
        assert.equal(await extend(bench.a, ours), undefined)
        assert.equal(await release(bench.a, ours, { tick }), false)
        await refused(bench.b, bench.holder(ours.name), 'held')
        await refused(bench.b, bench.holder(ours.name), 'tick-taken', { tick })
        await refused(bench.a, ours, 'tick-taken', { tick })
      })
      const record = await bench.look(ours.name)
      assert.deepEqual([record.fencingToken, record.lastTick], [lease.fencingToken, tick])
      assert.equal(await bench.b.forceRelease(ours.name), true)
      const next = await granted(bench.b, bench.holder(ours.name), { tick: tick + 1 })
      assert.ok(next.fencingToken > lease.fencingToken)
    },

    'and our nodes, asking at once, exclude each other: first for a new name, then for a free one': async (bench) => {
      for (let round = 0; round < 10; round++) {
        const name = bench.name()
        for (const what of ['a new name', 'a free lock']) {
          const asked = bench.nodes.map((node) => acquire(node, bench.holder(name)))
          const [shedLockHasIt, ...results] = await Promise.all([asShedLock(bench, name), ...asked])
          const grants = results.filter((result) => result.granted).length + (shedLockHasIt ? 1 : 0)
          assert.equal(grants, 1, `grants of ${what}`)
          await bench.a.forceRelease(name)
        }
      }
    },
  },
}
