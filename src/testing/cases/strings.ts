import assert from 'node:assert/strict'
import { holderOf } from '../../provider/holder.ts'
import type { CaseGroup } from '../case-group.ts'
import {
  acquireAll,
  assertGranted,
  assertRefused,
  extendAll,
  extended,
  granted,
  readAll,
  release,
  releaseAll,
  toAcquire,
  toExtend,
  toRelease,
} from '../requests.ts'
import type { TestBed } from '../test-bed.ts'
import { AWKWARD } from './awkward.ts'

async function lose(bench: TestBed): Promise<void> {
  for (const name of AWKWARD) await bench.subject.lose(name)
}

export const texts: CaseGroup = {
  title: 'names and values are taken as they are',
  cases: {
    'names of any characters, up to 255 of them, are locks of their own, also where only case or accents differ':
      async (bench) => {
        await lose(bench)
        const { a, b } = bench
        const holders = AWKWARD.map((name) => bench.holder(name))
        const results = await acquireAll(
          a,
          holders.map((holder) => toAcquire(holder)),
        )
        for (const [index, holder] of holders.entries()) assertGranted(results[index] ?? fail(), holder)
        const others = await acquireAll(
          b,
          AWKWARD.map((name) => toAcquire(bench.holder(name))),
        )
        for (const [index, name] of AWKWARD.entries()) {
          assert.equal(assertRefused(others[index] ?? fail(), 'held').record?.name, name)
          assert.equal((await bench.look(name)).lockedBy, holderOf(holders[index] ?? fail()), name)
        }
        for (const lease of await extendAll(
          b,
          holders.map((holder) => toExtend(holder)),
        ))
          assert.ok(lease)
        for (const freed of await releaseAll(
          b,
          holders.map((holder) => toRelease(holder)),
        ))
          assert.equal(freed, true)
      },

    'a name of any characters is read, freed by force, and asked for alone': async (bench) => {
      await lose(bench)
      for (const name of AWKWARD) {
        const holder = bench.holder(name)
        await granted(bench.a, holder)
        const records = await readAll(bench.b, [name])
        assert.deepEqual(
          records.map((record) => [record.name, record.lockedBy]),
          [[name, holderOf(holder)]],
        )
      }
      const all = new Set((await readAll(bench.b)).map((record) => record.name))
      for (const name of AWKWARD) assert.ok(all.has(name), `${JSON.stringify(name)} is missing among all`)
      for (const name of AWKWARD) assert.equal(await bench.b.forceRelease(name), true, name)
    },

    'labels and metadata of any characters are kept as they are': async (bench) => {
      const texts = AWKWARD.filter((text) => text.length < 200)
      const holders = texts.map((label) => ({ ...bench.holder(), label }))
      await acquireAll(
        bench.a,
        holders.map((holder) => toAcquire(holder, { metadata: holder.label })),
      )
      const records = new Map(
        (
          await readAll(
            bench.b,
            holders.map(({ name }) => name),
          )
        ).map((record) => [record.name, record]),
      )
      for (const holder of holders) {
        const record = await bench.look(holder.name)
        assert.deepEqual([record.lockedBy, record.metadata], [holderOf(holder), holder.label])
        assert.deepEqual(
          [records.get(holder.name)?.lockedBy, records.get(holder.name)?.metadata],
          [holderOf(holder), holder.label],
        )
      }
      for (const lease of await extendAll(
        bench.b,
        holders.map((holder) => toExtend(holder)),
      ))
        assert.ok(lease)
      for (const freed of await releaseAll(
        bench.b,
        holders.map((holder) => toRelease(holder)),
      ))
        assert.equal(freed, true)
      for (const { name, label } of holders) assert.equal((await bench.look(name)).metadata, label)
    },

    'a label of any length is cut, and its holder stays the holder': async (bench) => {
      // The second is cut within a character of two units.
      for (const label of ['x'.repeat(1_000), `x${'🚀'.repeat(500)}`]) {
        const holder = { ...bench.holder(), label }
        await granted(bench.a, holder)
        assert.ok((await bench.look(holder.name)).lockedBy.length <= 255)
        await extended(bench.b, holder)
        assert.equal(await release(bench.b, holder), true)
        assert.equal(await release(bench.b, holder), true, 'a repeated release')
      }
    },

    'metadata is that of the last grant, and an empty label or text is one, too': async (bench) => {
      const first = { ...bench.holder(), label: '' }
      await granted(bench.a, first, { metadata: '' })
      await extended(bench.a, first)
      await release(bench.a, first)
      const second = bench.holder(first.name)
      await granted(bench.a, second, { metadata: 'second' })
      await release(bench.a, second)
      assert.equal((await bench.look(first.name)).metadata, 'second')
      await granted(bench.a, bench.holder(first.name))
      assert.equal((await bench.look(first.name)).metadata, undefined)
    },
  },
}

function fail(): never {
  assert.fail('an answer is missing')
}
