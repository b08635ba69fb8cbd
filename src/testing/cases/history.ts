import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { LockProvider } from '../../provider/contract.ts'
import type { HistoryEntry, NodeState, RecordedEntry, RunHistory } from '../../provider/history.ts'
import type { CaseGroup } from '../case-group.ts'
import { assertWithin } from '../records.ts'
import type { TestBed } from '../test-bed.ts'

async function historyOf(node: LockProvider): Promise<RunHistory> {
  assert.ok(node.history, 'the provider has no history: say why not in keepsNoHistory of the subject')
  await node.history.setup?.()
  return node.history
}

const bothOf = async (bench: TestBed): Promise<[RunHistory, RunHistory]> => [
  await historyOf(bench.a),
  await historyOf(bench.b),
]

/** 2040: no entry of another case is newer. */
const TIME = Date.UTC(2040, 0)

const entry = (job: string, more: Partial<HistoryEntry> = {}): HistoryEntry =>
  Object.freeze({
    id: randomUUID(),
    job,
    node: 'one-host:1',
    kind: 'schedule',
    outcome: 'succeeded',
    scheduledAt: TIME,
    at: TIME,
    duration: 12.5,
    fencingToken: 1_700_000_000_000_001,
    ...more,
  })

/** An entry without what has no value, and without the time of writing. */
const bare = ({ changedAt: _, ...rest }: Partial<RecordedEntry>): object => JSON.parse(JSON.stringify(rest))

const idsOf = (entries: readonly HistoryEntry[]): string[] => entries.map(({ id }) => id)

const state = (label: string, more: Partial<NodeState> = {}): NodeState =>
  Object.freeze({ label, startedAt: TIME, skew: -250, running: 2, stopped: false, ...more })

const AWKWARD = [`it's "quoted" \\ $set`, '<script>alert(1)</script>', 'ü 日本 👍', '%_{}:*', '$job']

export const history: CaseGroup = {
  title: 'history',
  leftOut: ({ keepsNoHistory }) => keepsNoHistory,
  cases: {
    'is set up by all nodes at once, and again': async (bench) => {
      await Promise.all(bench.nodes.map(historyOf))
      await historyOf(bench.a)
    },

    'keeps entries as they were written, whatever their texts, with the time of writing by the clock that decides':
      async (bench) => {
        const [a, b] = await bothOf(bench)
        for (const text of AWKWARD) {
          const job = bench.name(text)
          const run = entry(job, { node: text, error: text, outcome: 'failed', kind: 'rerun' })
          const missed = entry(job, {
            outcome: 'missed',
            reason: 'store-error',
            at: TIME - 5,
            duration: undefined,
            fencingToken: undefined,
          })
          const from = Math.floor(await bench.now())
          await a.write(Object.freeze([missed, run]))
          const to = await bench.now()
          const found = await b.read({ job, limit: 10 })
          assert.deepEqual(found.map(bare), [run, missed].map(bare), 'newest first')
          for (const { changedAt } of found) assertWithin(changedAt, from, to, 'changedAt')
        }
      },

    'of a run that has ended is not overwritten by its beginning, which may come late': async (bench) => {
      const [a, b] = await bothOf(bench)
      const job = bench.name()
      const ended = entry(job, { error: 'boom', outcome: 'failed' })
      const begun = { ...ended, outcome: 'running' as const, duration: undefined, error: undefined }
      await a.write([begun])
      assert.deepEqual((await b.read({ job, limit: 10 })).map(bare), [bare(begun)])
      assert.deepEqual((await b.read({ job, outcome: 'running', limit: 10 })).map(bare), [bare(begun)])
      for (const batch of [[ended], [begun], [ended]]) {
        await a.write(batch)
        assert.deepEqual((await b.read({ job, limit: 10 })).map(bare), [bare(ended)])
        assert.deepEqual(await b.read({ job, outcome: 'running', limit: 10 }), [])
      }
    },

    'answers what is asked for: a job, a time, an outcome, so many of the newest': async (bench) => {
      const [a, b] = await bothOf(bench)
      const [job, other] = [bench.name(), bench.name()]
      const entries = [0, 1, 2, 3].map((index) =>
        entry(job, { at: TIME + index, outcome: index === 2 ? 'skipped' : 'succeeded' }),
      )
      const foreign = entry(other, { at: TIME + 1 })
      await a.write([...entries, foreign])
      const [first, second, third, fourth] = idsOf(entries)
      const ask = async (query: object): Promise<string[]> => idsOf(await b.read({ limit: 100, ...query }))
      assert.deepEqual(await ask({ job }), [fourth, third, second, first])
      assert.deepEqual(await ask({ job, limit: 2 }), [fourth, third])
      assert.deepEqual(await ask({ job, from: TIME + 1, to: TIME + 3 }), [third, second], 'from is within, to is not')
      assert.deepEqual(await ask({ job, outcome: 'skipped' }), [third])
      assert.deepEqual((await ask({ from: TIME + 1, to: TIME + 2 })).sort(), [second, foreign.id].sort(), 'of all jobs')
      assert.deepEqual(await ask({ job: bench.name() }), [])
    },

    'tells what was written since a time, by the clock that decides': async (bench) => {
      const [a, b] = await bothOf(bench)
      const job = bench.name()
      const [before, after] = [entry(job, { outcome: 'running' }), entry(job, { at: TIME - 1 })]
      await a.write([before])
      await bench.until((await bench.now()) + 5)
      const since = Math.floor(await bench.now())
      await bench.until(since + 2)
      await a.write([after])
      assert.deepEqual(idsOf(await b.read({ job, changedSince: since, limit: 10 })), [after.id])
      await a.write([{ ...before, outcome: 'succeeded' }])
      assert.deepEqual(idsOf(await b.read({ job, changedSince: since, limit: 10 })), [before.id, after.id])
      const found = await b.read({ changedSince: since, limit: 10_000 })
      assert.ok(idsOf(found).includes(after.id), 'of all jobs')
    },

    'answers the last entries of each of some jobs, but for those that were skipped': async (bench) => {
      const [a, b] = await bothOf(bench)
      const jobs = [bench.name("it's"), bench.name(), bench.name()]
      const [busy = '', quiet = '', none = ''] = jobs
      const entries = [0, 1, 2].map((index) => entry(busy, { at: TIME + index }))
      const skipped = entry(busy, { at: TIME + 9, outcome: 'skipped', reason: 'paused' })
      const missed = entry(quiet, { outcome: 'missed', reason: 'late' })
      await a.write([...entries, skipped, missed])
      const found = await b.latest([busy, none, quiet], 2)
      assert.deepEqual(idsOf(found.filter(({ job }) => job === busy)), [entries[2]?.id, entries[1]?.id])
      assert.deepEqual(idsOf(found.filter(({ job }) => job === quiet)), [missed.id])
      assert.equal(found.length, 3)
      assert.deepEqual(await b.latest([], 2), [])
    },

    'takes a thousand entries in a batch, and batches of several nodes at once': async (bench) => {
      const job = bench.name()
      const batches = bench.nodes.map((_, node) =>
        Array.from({ length: node === 0 ? 1_000 : 100 }, (_, index) =>
          entry(job, { at: TIME + index, node: `n${node}` }),
        ),
      )
      await Promise.all(bench.nodes.map(async (node, index) => (await historyOf(node)).write(batches[index] ?? [])))
      const found = await (await historyOf(bench.b)).read({ job, limit: 10_000 })
      assert.deepEqual(idsOf(found).sort(), idsOf(batches.flat()).sort())
    },

    'keeps the state of each node, as it was last written': async (bench) => {
      const [a, b] = await bothOf(bench)
      const label = `${bench.name()}'<b>`
      await a.write([], state(label, { running: 1 }))
      const from = Math.floor(await bench.now())
      await a.write([entry(bench.name())], state(label, { stopped: true, skew: 12 }))
      const to = await bench.now()
      const nodes = await b.nodes()
      const [found, ...more] = nodes.filter((node) => node.label === label)
      assert.ok(found && more.length === 0, 'each node once')
      const { seenAt, ...rest } = found
      assert.deepEqual(rest, { ...state(label, { stopped: true, skew: 12 }) })
      assertWithin(seenAt, from, to, 'seenAt')
      assert.deepEqual(
        nodes.map((node) => node.label),
        nodes.map((node) => node.label).sort(),
      )
    },

    'drops what is older than it may be, and then the oldest beyond a count': async (bench) => {
      const [a, b] = await bothOf(bench)
      const [old, label] = [entry(bench.name(), { outcome: 'running' }), bench.name()]
      await a.write([old], state(label))
      await b.trim({ olderThanMs: 60_000, most: 100_000 })
      assert.equal((await b.read({ job: old.job, limit: 10 })).length, 1, 'what is younger stays')
      await bench.until((await bench.now()) + 30)
      const since = await bench.now()
      await bench.until(since + 1)
      const job = bench.name()
      const dropped = await b.trim({ olderThanMs: (await bench.now()) - since, most: 100_000 })
      assert.ok(dropped >= 1, `trim answers how many it dropped, but answered ${dropped}`)
      assert.deepEqual(await a.read({ job: old.job, limit: 10 }), [])
      assert.deepEqual(await a.read({ outcome: 'running', job: old.job, limit: 10 }), [])
      assert.deepEqual(await a.latest([old.job], 5), [])
      assert.equal(
        (await a.nodes()).some((node) => node.label === label),
        false,
        'also nodes not seen for so long',
      )
      for (let index = 0; index < 6; index++) {
        await a.write([entry(job, { at: TIME - index, scheduledAt: TIME + index })])
        await bench.until((await bench.now()) + 3)
      }
      assert.equal(await b.trim({ olderThanMs: 3_600_000, most: 4 }), 2)
      const kept = await a.read({ job, limit: 10 })
      assert.deepEqual(
        kept.map(({ at }) => TIME - at),
        [2, 3, 4, 5],
        'the last written stay',
      )
      assert.equal(await b.trim({ olderThanMs: 3_600_000, most: 4 }), 0)
    },
  },
}
