import assert from 'node:assert/strict'
import type { LockProvider } from '../../provider/contract.ts'
import type { CaseGroup } from '../case-group.ts'
import { acquire, extended, granted, readAll, refused, release, SHORT_MS } from '../requests.ts'

async function setPaused(node: LockProvider, name: string, paused: boolean): Promise<boolean> {
  assert.ok(node.setPaused, 'the provider has no setPaused: say why not in cannotPause of the subject')
  return node.setPaused(Object.freeze({ name, paused }))
}

const pause = (node: LockProvider, name: string): Promise<boolean> => setPaused(node, name, true)
const resume = (node: LockProvider, name: string): Promise<boolean> => setPaused(node, name, false)

export const pausing: CaseGroup = {
  title: 'pausing',
  leftOut: ({ cannotPause }) => cannotPause,
  cases: {
    'refuses each tick of a name to every node, and grants what is asked for without one': async (bench) => {
      const { name } = bench.holder()
      const tick = Math.floor(await bench.now())
      await release(bench.a, await granted(bench.a, bench.holder(name), { tick: tick - 2 }).then(holding(name)))
      assert.equal(await pause(bench.a, name), true)
      for (const node of bench.nodes) {
        await bench.unchanged(name, 'a tick that is asked for while the name is paused', async () => {
          const { record } = await refused(node, bench.holder(name), 'paused', { tick })
          assert.deepEqual([record?.paused, record?.lastTick], [true, tick - 2], 'the refusal tells the record')
        })
      }
      await refused(bench.b, bench.holder(name), 'paused', { tick: tick - 2, onCrash: 'rerun' })
      const byHand = bench.holder(name)
      await granted(bench.b, byHand)
      assert.equal((await bench.look(name)).paused, true, 'a grant without a tick leaves it paused')
      await refused(bench.a, bench.holder(name), 'paused', { tick })
      await refused(bench.a, bench.holder(name), 'held')
      assert.equal(await release(bench.b, byHand), true)
      await refused(bench.a, bench.holder(name), 'paused', { tick })
    },

    'may be done before a name was ever used, and is read by every node': async (bench) => {
      const name = bench.name()
      assert.equal(await pause(bench.a, name), true)
      const [record] = await readAll(bench.b, [name])
      assert.ok(record, 'a paused name has a record')
      assert.deepEqual([record.paused, record.fencingToken, record.lastTick], [true, 0, undefined])
      assert.ok(record.lockUntil <= record.storeTime, 'a paused name is free')
      const tick = Math.floor(await bench.now())
      await refused(bench.b, bench.holder(name), 'paused', { tick })
      await granted(bench.b, bench.holder(name))
    },

    'answers whether it changed anything': async (bench) => {
      const name = bench.name()
      assert.equal(await resume(bench.a, name), false, 'a name never used is not paused')
      assert.equal(await bench.subject.look(name), undefined, 'and gets no record by that')
      assert.equal(await pause(bench.a, name), true)
      await bench.unchanged(name, 'a second pause', async () => assert.equal(await pause(bench.b, name), false))
      assert.equal(await resume(bench.b, name), true)
      await bench.unchanged(name, 'a second resume', async () => assert.equal(await resume(bench.a, name), false))
    },

    'ends with a resume: the ticks up to it are over, and the next one is granted': async (bench) => {
      const name = bench.name()
      const during = Math.floor(await bench.now()) - bench.clockError
      await pause(bench.a, name)
      const from = await bench.now()
      assert.equal(await resume(bench.b, name), true)
      const to = await bench.now()
      const record = await bench.look(name)
      assert.deepEqual([record.paused ?? false, record.tickDone], [false, true])
      assert.ok(
        record.lastTick !== undefined && record.lastTick >= from - 5 - bench.clockError && record.lastTick <= to + 5,
      )
      assert.equal(Math.floor(record.lastTick), record.lastTick, 'a tick has whole milliseconds')
      await refused(bench.a, bench.holder(name), 'tick-taken', { tick: during - 1, onCrash: 'rerun' })
      await granted(bench.a, bench.holder(name), { tick: record.lastTick + 1 })
    },

    'ends the tick of a crashed holder, and keeps a tick that lies ahead': async (bench) => {
      const [crashed, ahead] = [bench.holder(), bench.holder()]
      const tick = Math.floor(await bench.now())
      await granted(bench.a, crashed, { tick: tick - 1, lockAtMostFor: SHORT_MS })
      await granted(bench.a, ahead, { tick: tick + 30_000 })
      for (const { name } of [crashed, ahead]) await pause(bench.b, name)
      await bench.lapsed(crashed.name)
      for (const { name } of [crashed, ahead]) await resume(bench.b, name)
      await refused(bench.b, bench.holder(crashed.name), 'tick-taken', { tick: tick - 1, onCrash: 'rerun' })
      const record = await bench.look(ahead.name)
      assert.deepEqual([record.lastTick, record.tickDone], [tick + 30_000, false])
    },

    'takes no lease from its holder, nor the answer from one who asks again': async (bench) => {
      const holder = bench.holder()
      const tick = Math.floor(await bench.now())
      const lease = await granted(bench.a, holder, { tick })
      await pause(bench.b, holder.name)
      const again = await granted(bench.a, holder, { tick })
      assert.equal(again.fencingToken, lease.fencingToken)
      assert.equal((await extended(bench.a, holder)).fencingToken, lease.fencingToken)
      assert.equal(await release(bench.a, holder, { tick }), true)
      const record = await bench.look(holder.name)
      assert.deepEqual([record.paused, record.tickDone, record.lastTick], [true, true, tick])
    },

    'outlives a forced release and pruning': async (bench) => {
      const holder = bench.holder()
      const tick = Math.floor(await bench.now()) - 1_000
      await granted(bench.a, holder, { tick })
      const unused = bench.name()
      for (const name of [holder.name, unused]) await pause(bench.a, name)
      assert.equal(await bench.b.forceRelease(holder.name), true)
      await bench.until((await bench.now()) + 10)
      await bench.b.prune(5)
      for (const name of [holder.name, unused]) {
        assert.equal((await bench.look(name)).paused, true)
        await refused(bench.b, bench.holder(name), 'paused', { tick: tick + 1_000 })
      }
    },

    'pauses that name alone, also when it reads like a pattern or a field': async (bench) => {
      for (const name of [bench.name("it's"), bench.name('$paused'), bench.name('%')]) {
        const other = bench.name()
        await pause(bench.a, name)
        const tick = Math.floor(await bench.now())
        await refused(bench.b, bench.holder(name), 'paused', { tick })
        await granted(bench.b, bench.holder(other), { tick })
      }
    },

    'and an acquisition at the same time: after the answer no tick is granted': async (bench) => {
      for (let round = 0; round < 15; round++) {
        const name = bench.name()
        if (round % 2 === 1) await release(bench.a, await granted(bench.a, bench.holder(name)).then(holding(name)))
        const tick = Math.floor(await bench.now())
        const asked = bench.nodes.map((node, index) => acquire(node, bench.holder(name), { tick: tick + index }))
        await pause(bench.b, name)
        const last = (await bench.look(name)).lastTick
        await Promise.all(asked)
        assert.equal((await bench.look(name)).lastTick, last, 'a tick was granted after the pause was answered')
      }
    },
  },
}

const holding =
  (name: string) =>
  ({ owner }: { readonly owner: string }) => ({ name, owner, label: 'one-host:1' })
