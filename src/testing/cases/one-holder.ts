import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { holderOf } from '../../provider/holder.ts'
import type { CaseGroup } from '../case-group.ts'
import { assertTime } from '../records.ts'
import { acquire, extend, granted, LONG_MS, refused, release, SHORT_MS } from '../requests.ts'
import type { TestBed } from '../test-bed.ts'

const ROUNDS = 25

/** All nodes request one name at the same time; exactly one is granted it. */
async function contend(bench: TestBed, name: string): Promise<void> {
  const holders = bench.nodes.map(() => bench.holder(name))
  const results = await Promise.all(
    bench.nodes.map((node, index) => acquire(node, holders[index] ?? bench.holder(name))),
  )
  const winners = holders.filter((_, index) => results[index]?.granted)
  assert.equal(winners.length, 1, `${winners.length} of ${holders.length} nodes were granted one lock at one time`)
  for (const result of results) assert.ok(result.granted || result.reason === 'held')
  const [winner] = winners
  assert.ok(winner && (await release(bench.b, winner)), 'the one that was granted the lock can release it')
}

export const oneHolder: CaseGroup = {
  title: 'one holder',
  cases: {
    'a lock that is held is refused to another, also to one on the same host and with the same label': async (
      bench,
    ) => {
      const first = bench.holder()
      await granted(bench.a, first)
      await refused(bench.a, bench.holder(first.name), 'held')
      await refused(bench.b, bench.holder(first.name), 'held')
    },

    'a grant is written in the store as it is answered': async (bench) => {
      const first = bench.holder()
      const lease = await bench.lasting(5_000, () => granted(bench.a, first, { lockAtMostFor: 5_000, metadata: 'why' }))
      const record = await bench.look(first.name)
      assert.deepEqual(
        [record.lockedBy, record.fencingToken, record.tickDone, record.metadata],
        [holderOf(first), lease.fencingToken, false, 'why'],
      )
      assertTime(record.lockUntil, lease.lockUntil, 'lockUntil')
      assertTime(record.lockedAt, lease.acquiredAt, 'lockedAt')
      assertTime(lease.acquiredAt, lease.lockUntil - 5_000, 'acquiredAt')
    },

    'a refusal carries the record: who has the lock, until when, the last tick, and the time': async (bench) => {
      const first = bench.holder()
      const tick = Math.floor(await bench.now())
      const lease = await granted(bench.a, first, { tick, metadata: 'the first' })
      const { record } = await bench.timely(() => refused(bench.b, bench.holder(first.name), 'held'))
      assert.ok(record)
      assert.deepEqual(
        [record.name, record.lockedBy, record.fencingToken, record.lastTick, record.tickDone, record.metadata],
        [first.name, holderOf(first), lease.fencingToken, tick, false, 'the first'],
      )
      assertTime(record.lockUntil, lease.lockUntil, 'lockUntil')
      assertTime(record.lockedAt, lease.acquiredAt, 'lockedAt')
    },

    'a refusal changes nothing in the store': async (bench) => {
      const first = bench.holder()
      await granted(bench.a, first)
      await bench.unchanged(first.name, 'a refused acquisition', () =>
        refused(bench.b, bench.holder(first.name), 'held', { lockAtMostFor: 2 * LONG_MS, metadata: 'not mine' }),
      )
    },

    'of many nodes that ask at once for a name never used before, exactly one is granted it': async (bench) => {
      for (let round = 0; round < ROUNDS; round++) await contend(bench, bench.name())
    },

    'of many nodes that ask at once for a lock that was released, exactly one is granted it': async (bench) => {
      const name = bench.name()
      for (let round = 0; round < ROUNDS; round++) await contend(bench, name)
    },

    'of many nodes that ask at once and again for a lock whose lease lapses, exactly one is granted it': async (
      bench,
    ) => {
      for (let round = 0; round < 3; round++) {
        const name = bench.name()
        await granted(bench.a, bench.holder(name), { lockAtMostFor: SHORT_MS })
        const askUntilTaken = async (node: (typeof bench.nodes)[number]): Promise<boolean> => {
          const holder = bench.holder(name)
          for (;;) {
            const result = await acquire(node, holder)
            if (result.granted) return true
            // Longer than the first lease could ever last: another node has it.
            if (result.record && result.record.lockUntil - result.storeTime > LONG_MS / 2) return false
            await pause(1)
          }
        }
        const taken = await Promise.all(bench.nodes.map(askUntilTaken))
        assert.equal(taken.filter(Boolean).length, 1, 'nodes that took over one lapsed lock')
      }
    },

    'a lease shorter than a second ends when it says, and not a moment before': async (bench) => {
      for (const lockAtMostFor of [1, 20, SHORT_MS]) {
        const first = bench.holder()
        const lease = await granted(bench.a, first, { lockAtMostFor })
        assertTime(lease.lockUntil, lease.acquiredAt + lockAtMostFor, 'lockUntil')
        const second = bench.holder(first.name)
        let askedAt = await bench.now()
        let result = await acquire(bench.b, second)
        while (!result.granted) {
          assert.ok(
            askedAt < lease.lockUntil + 1 + bench.clockError,
            `asked at ${askedAt}, after ${lease.lockUntil}, and refused`,
          )
          await pause(1)
          askedAt = await bench.now()
          result = await acquire(bench.b, second)
        }
        const early = lease.lockUntil - result.lease.storeTime
        assert.ok(early < 1 + bench.clockError, `granted ${early} ms before the lease before it was over`)
      }
    },

    'an extension and a takeover at the last moment of a lease never both succeed': async (bench) => {
      for (let round = 0; round < ROUNDS; round++) {
        const first = bench.holder()
        const lease = await granted(bench.a, first, { lockAtMostFor: 12 })
        await bench.until(lease.lockUntil - 2)
        const [kept, taken] = await Promise.all([extend(bench.a, first), acquire(bench.b, bench.holder(first.name))])
        assert.ok(!(kept && taken.granted), 'the old holder was told that it keeps what the new one was granted')
      }
    },

    'a lease of 30 days, and the longest that there is, last as long as they say': async (bench) => {
      for (const lockAtMostFor of [30 * 86_400_000, 100 * 365 * 86_400_000]) {
        const first = bench.holder()
        const lease = await granted(bench.a, first, { lockAtMostFor })
        assertTime(lease.lockUntil, lease.acquiredAt + lockAtMostFor, 'lockUntil')
        assertTime((await bench.look(first.name)).lockUntil, lease.lockUntil, 'lockUntil in the store')
        await refused(bench.b, bench.holder(first.name), 'held')
        assert.equal(await release(bench.a, first), true)
      }
    },
  },
}
