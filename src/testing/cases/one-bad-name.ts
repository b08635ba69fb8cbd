import assert from 'node:assert/strict'
import { isStoreError } from '../../errors.ts'
import type { Settled } from '../../provider/contract.ts'
import { isUnreadable } from '../../provider/record.ts'
import type { CaseGroup } from '../case-group.ts'
import { acquireAll, granted, type Holder, releaseAll, SKEW_MS, toAcquire, toExtend, toRelease } from '../requests.ts'
import type { ConformanceSubject } from '../subject.ts'
import type { TestBed } from '../test-bed.ts'

/** Runs a case for each way in which a record can be spoiled: for a held lock whose record is so by then. */
async function forEachPoison(bench: TestBed, run: (bad: Holder, title: string) => Promise<void>): Promise<void> {
  const { poisons } = bench.subject
  assert.ok(typeof poisons === 'object')
  for (const [title, poison] of Object.entries(poisons)) {
    const bad = bench.holder(bench.name('bad'))
    await granted(bench.a, bad, { tick: Math.floor(await bench.now()) })
    await poison(bad.name)
    try {
      await run(bad, title)
    } finally {
      await bench.subject.lose(bad.name)
    }
  }
}

const among = (bench: TestBed, bad: Holder): Holder[] => [bench.holder(), bad, bench.holder()]

/** The request in the middle failed, with an error that names it, and the others did not. */
function assertMiddleFailed(results: readonly Settled<unknown>[], bad: Holder, what: string): void {
  assert.equal(results.length, 3)
  const [first, middle, last] = results
  assert.ok(!(first instanceof Error) && !(last instanceof Error), `${what}: the others must be decided`)
  assert.ok(middle instanceof Error, `${what}: expected an error, but got ${JSON.stringify(middle)}`)
  assert.ok(
    middle.message.includes(bad.name.slice(0, 20)),
    `${what}: the error must name the record: ${middle.message}`,
  )
}

export const oneBadName: CaseGroup = {
  title: 'one bad name harms only itself',
  leftOut: ({ poisons }: ConformanceSubject) => (typeof poisons === 'string' ? poisons : undefined),
  cases: {
    'a record that can not be read fails its own request, in each verb, and no other of the batch': (bench) =>
      forEachPoison(bench, async (bad, title) => {
        const tick = Math.floor(await bench.now())
        const holders = among(bench, bad)
        const others = [holders[0], holders[2]] as [Holder, Holder]
        const acquired = await bench.a.acquire(holders.map((holder) => toAcquire(holder, { tick })))
        assertMiddleFailed(acquired, bad, `acquire, ${title}`)
        for (const result of [acquired[0], acquired[2]])
          assert.ok(result && !(result instanceof Error) && result.granted, `${title}: the others must be granted`)
        const extended = await bench.b.extend(holders.map((holder) => toExtend(holder)))
        assertMiddleFailed(extended, bad, `extend, ${title}`)
        assert.ok(extended[0] && extended[2], `${title}: the others must be extended`)
        const released = await bench.a.release(holders.map((holder) => toRelease(holder, { tick })))
        assertMiddleFailed(released, bad, `release, ${title}`)
        assert.deepEqual([released[0], released[2]], [true, true], `${title}: the others must be released`)
        for (const { name } of others) assert.equal((await bench.look(name)).tickDone, true)
      }),

    'reading returns the others, and says what is wrong with a record that can not be read': (bench) =>
      forEachPoison(bench, async (bad, title) => {
        const good = bench.holder()
        await granted(bench.a, good)
        for (const names of [[good.name, bad.name], undefined]) {
          const records = await bench.b.read(names)
          const found = records.filter(({ name }) => name === bad.name || name === good.name)
          assert.equal(found.length, 2, `${title}: a record is missing`)
          for (const record of found) {
            assert.equal(isUnreadable(record), record.name === bad.name, title)
            if (!isUnreadable(record)) continue
            assert.ok(isStoreError(record.unreadable) && record.unreadable.message.includes(bad.name), title)
            assert.match(record.unreadable.message, /ticklock reset/, 'the error names the remedy')
          }
        }
      }),

    'a forced release repairs a record that can not be read': (bench) =>
      forEachPoison(bench, async (bad, title) => {
        assert.equal(await bench.b.forceRelease(bad.name), true, title)
        const record = await bench.look(bad.name)
        assert.ok(record.lockUntil <= (await bench.now()) + 1, `${title}: the lock is free`)
        const next = await granted(bench.a, bench.holder(bad.name), { tick: Math.floor(await bench.now()) + 5 })
        assert.ok(next.fencingToken > 0)
      }),

    'a reset repairs a record that can not be read, once': (bench) =>
      forEachPoison(bench, async (bad, title) => {
        const request = { name: bad.name, maxClockSkew: SKEW_MS }
        assert.equal(await bench.b.reset(request), true, title)
        assert.equal(await bench.b.reset(request), false, `${title}: it is in order now`)
        await bench.b.forceRelease(bad.name)
        await granted(bench.a, bench.holder(bad.name))
      }),

    'pruning goes on past a record that can not be read': (bench) =>
      forEachPoison(bench, async (_bad, title) => {
        const old = bench.holder()
        await granted(bench.a, old)
        await releaseAll(bench.a, [toRelease(old)])
        await bench.until((await bench.now()) + 5)
        await bench.b.prune(1)
        assert.equal(await bench.subject.look(old.name), undefined, `${title}: what is free must be pruned`)
      }),

    'a name that the store can not keep fails alone': async (bench) => {
      for (const unfit of bench.subject.unfitNames ?? []) {
        const holders = among(bench, bench.holder(unfit))
        const [first, middle, last] = await bench.a.acquire(holders.map((holder) => toAcquire(holder)))
        assert.ok(middle instanceof Error, `${unfit} must fail`)
        for (const result of [first, last]) assert.ok(result && !(result instanceof Error) && result.granted)
      }
      const others = among(bench, bench.holder())
      const results = await acquireAll(
        bench.a,
        others.map((holder) => toAcquire(holder)),
      )
      assert.equal(results.length, 3)
    },
  },
}

/** Each case runs while a stranger's transaction is open: a provider that waits for it would never return. */
async function whileLocked(bench: TestBed, run: (bad: Holder, held: boolean) => Promise<void>): Promise<void> {
  const { lockRecord } = bench.subject
  assert.ok(typeof lockRecord === 'function')
  for (const held of [true, false]) {
    const bad = bench.holder(bench.name(held ? 'locked' : 'being-created'))
    if (held) await granted(bench.a, bad)
    const rollBack = await lockRecord(bad.name)
    try {
      await run(bad, held)
    } finally {
      await rollBack()
    }
  }
}

export const busyRecords: CaseGroup = {
  title: 'a record that the transaction of a stranger has locked',
  leftOut: ({ lockRecord }: ConformanceSubject) => (typeof lockRecord === 'string' ? lockRecord : undefined),
  cases: {
    'fails its own request at once, in each verb, and no other of the batch': (bench) =>
      whileLocked(bench, async (bad, held) => {
        const holders = among(bench, bad)
        const rival = bench.holder(bad.name)
        const acquired = await bench.b.acquire(
          holders.map((holder) => toAcquire(holder === bad && !held ? rival : holder)),
        )
        const [first, middle, last] = acquired
        for (const result of [first, last]) assert.ok(result && !(result instanceof Error) && result.granted)
        // The grant of a held lock to its own owner is repeated without the row being written.
        if (!held) assert.ok(middle instanceof Error, 'a record in creation can be granted to nobody')
        if (!held) return
        const extended = await bench.b.extend(holders.map((holder) => toExtend(holder)))
        assertMiddleFailed(extended, bad, 'extend')
        const released = await bench.b.release(holders.map((holder) => toRelease(holder)))
        assertMiddleFailed(released, bad, 'release')
        assert.deepEqual([released[0], released[2]], [true, true])
      }),

    'is read as it was, and holds up neither a prune nor a reading of all': (bench) =>
      whileLocked(bench, async (bad, held) => {
        const records = await bench.b.read([bad.name])
        assert.equal(records.length, held ? 1 : 0)
        await bench.b.read()
        await bench.b.prune(86_400_000)
      }),

    'makes a forced release and a reset fail, and not wait for ever': (bench) =>
      whileLocked(bench, async (bad, held) => {
        if (!held) return
        await assert.rejects(bench.b.forceRelease(bad.name))
      }),

    'is decided when the stranger has ended': async (bench) => {
      await whileLocked(bench, async () => {})
      const free = bench.holder()
      await granted(bench.a, free)
      await releaseAll(bench.a, [toRelease(free)])
      const { lockRecord } = bench.subject
      assert.ok(typeof lockRecord === 'function')
      const rollBack = await lockRecord(free.name)
      const next = bench.holder(free.name)
      const [busy] = await bench.b.acquire([toAcquire(next), toAcquire(bench.holder())])
      await rollBack()
      assert.ok(busy instanceof Error, 'a locked record can be granted to nobody')
      await granted(bench.b, next)
    },
  },
}
