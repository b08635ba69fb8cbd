import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { LockProvider } from '../../provider/contract.ts'
import type { CaseGroup } from '../case-group.ts'
import { acquire, granted, readAll, refused } from '../requests.ts'
import type { TestBed } from '../test-bed.ts'

/** So many nodes on one place in which nothing was set up. */
async function unprepared(
  bench: TestBed,
  count: number,
  judge: (nodes: LockProvider[]) => Promise<void>,
): Promise<void> {
  const connect = bench.subject.unprepared
  assert.ok(typeof connect === 'function')
  const place = `place_${randomUUID().replaceAll('-', '').slice(0, 12)}`
  const nodes: LockProvider[] = []
  try {
    for (let node = 0; node < count; node++) nodes.push(await connect(place))
    await judge(nodes)
  } finally {
    await Promise.all(nodes.map((node) => node.close()))
  }
}

export const settingUp: CaseGroup = {
  title: 'setting up',
  cases: {
    'may be done again, by all nodes at once, and keeps what is there': async (bench) => {
      const first = bench.holder()
      await granted(bench.a, first)
      await bench.unchanged(first.name, 'setting up again', () =>
        Promise.all(bench.nodes.map((node) => node.setup?.())),
      )
      await refused(bench.b, bench.holder(first.name), 'held')
    },
  },
}

export const settingUpAnew: CaseGroup = {
  title: 'a place where nothing was set up',
  leftOut: (subject) => (typeof subject.unprepared === 'string' ? subject.unprepared : undefined),
  cases: {
    'is set up by eight nodes at once without an error, and works for each of them': async (bench) => {
      for (let round = 0; round < 3; round++) {
        await unprepared(bench, 8, async (nodes) => {
          await Promise.all(nodes.map((node) => node.setup?.()))
          const name = bench.name()
          const results = await Promise.all(nodes.map((node) => acquire(node, bench.holder(name))))
          assert.equal(results.filter((result) => result.granted).length, 1)
        })
      }
    },

    'shares no lock with another place': (bench) =>
      unprepared(bench, 1, async ([node]) => {
        assert.ok(node)
        await node.setup?.()
        const first = bench.holder()
        await granted(bench.a, first)
        await granted(node, bench.holder(first.name))
        assert.deepEqual(
          (await readAll(node)).map(({ name }) => name),
          [first.name],
        )
      }),

    'answers nothing as "not obtained" before it is set up: it works, or it says what is missing': (bench) =>
      unprepared(bench, 1, async ([node]) => {
        assert.ok(node)
        const result = await acquire(node, bench.holder()).catch((error: unknown) => error)
        if (result instanceof Error) assert.match(result.message, /setup/, 'the error says how to set up')
        else assert.deepEqual(Object.entries(result as object)[0], ['granted', true])
      }),
  },
}
