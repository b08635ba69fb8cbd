/* Documents with values that no lock can have, all in one batch with others. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { mongodb } from '../../providers/mongodb/index.ts'
import { isUnreadable } from '../../src/provider/record.ts'
import { acquireAll, newHolder, SKEW_MS, toAcquire, toExtend, toRelease } from '../../src/testing/requests.ts'
import { POISONS, poison, titleOf } from './mongodb-poisons.ts'
import type { LockDocument } from './mongodb-subject.ts'

const server = inject('servers').mongodb

describe.skipIf('unavailable' in server)('mongodb', () => {
  if ('unavailable' in server) return
  const client = new MongoClient(server.url)
  const locks = client.db().collection<LockDocument>(`ticklock-${randomUUID()}`)
  const provider = mongodb(locks)
  const all = Object.entries(POISONS).flatMap(([field, values]) =>
    values.map((value) => ({ field, value, bad: newHolder(`bad-${randomUUID()}`), good: newHolder(randomUUID()) })),
  )
  const holders = all.flatMap(({ bad, good }) => [bad, good])
  const tick = 1_700_000_000_000

  beforeAll(async () => {
    await acquireAll(
      provider,
      holders.map((holder) => toAcquire(holder, { tick })),
    )
    for (const { bad, field, value } of all) await poison(locks, bad.name, field, value)
  })
  afterAll(async () => {
    await locks.drop()
    await client.close()
  })

  /** For each spoiled record the error of its request, and for each other one its result. */
  function pairs(results: readonly unknown[]): readonly { readonly title: string; bad: unknown; good: unknown }[] {
    expect(results.length).toBe(holders.length)
    return all.map(({ field, value }, index) => ({
      title: titleOf(field, value),
      bad: results[2 * index],
      good: results[2 * index + 1],
    }))
  }

  const unreadable = (title: string) => ({
    title,
    bad: expect.objectContaining({
      code: 'STORE',
      message: expect.stringMatching(/record of lock "bad-.* can't be read/),
    }),
    good: expect.anything(),
  })

  it.each(['batch', 'one by one'])('a spoiled record fails its own request: acquire and extend, %s', async (how) => {
    for (const run of [
      (some: typeof holders) =>
        provider.acquire(some.map((holder) => toAcquire(newHolder(holder.name), { tick: tick + 1 }))),
      (some: typeof holders) => provider.extend(some.map((holder) => toExtend(holder))),
    ]) {
      const results: unknown[] = []
      if (how === 'batch') results.push(...(await run(holders)))
      else for (const holder of holders) results.push(...(await run([holder])))
      for (const pair of pairs(results)) expect(pair).toEqual(unreadable(pair.title))
    }
  })

  it('a spoiled record is read as such, with the others', async () => {
    const records = new Map((await provider.read()).map((record) => [record.name, record]))
    for (const { bad, good, field, value } of all) {
      const [spoiled, other] = [records.get(bad.name), records.get(good.name)]
      expect([titleOf(field, value), spoiled && isUnreadable(spoiled)]).toEqual([titleOf(field, value), true])
      expect(other && isUnreadable(other)).toBe(false)
    }
  })

  it('a spoiled record fails its own release', async () => {
    const results = await provider.release(holders.map((holder) => toRelease(holder, { tick })))
    for (const pair of pairs(results)) expect(pair).toEqual({ ...unreadable(pair.title), good: true })
    expect(await locks.countDocuments({ releasedBy: { $exists: true } })).toBe(all.length)
  })

  it('the statement in the documentation repairs one', async () => {
    const holder = newHolder(`by-hand-${randomUUID()}`)
    const [result] = await acquireAll(provider, [toAcquire(holder, { tick })])
    for (const field of Object.keys(POISONS)) await poison(locks, holder.name, field, POISONS[field]?.[1] ?? {})
    const page = readFileSync(new URL('../../docs/providers/mongodb.md', import.meta.url), 'utf8')
    const statement = /^```js\n(db\.ticklock\.updateOne.*?)\n```$/ms.exec(page)?.[1] ?? ''
    await new Function('db', `return ${statement.replace('nightly-report', holder.name)}`)({ ticklock: locks })
    const next = newHolder(holder.name)
    expect(await provider.acquire([toAcquire(next, { tick: Date.now() - 60_000, onCrash: 'rerun' })])).toMatchObject([
      { granted: false, reason: 'tick-taken' },
    ])
    const [after] = await acquireAll(provider, [toAcquire(next, { tick: Date.now() + 5 })])
    const tokenOf = (granted: typeof after): number => (granted?.granted ? granted.lease.fencingToken : 0)
    expect(tokenOf(after)).toBeGreaterThan(tokenOf(result))
  })

  it('a reset repairs each; then it is granted, with a token that grows', async () => {
    for (const [index, { bad, field, value }] of all.entries()) {
      const title = titleOf(field, value)
      if (index % 2) expect([title, await provider.forceRelease(bad.name)]).toEqual([title, true])
      else expect([title, await provider.reset({ name: bad.name, maxClockSkew: SKEW_MS })]).toEqual([title, true])
      expect(await provider.reset({ name: bad.name, maxClockSkew: SKEW_MS })).toBe(false)
      await provider.forceRelease(bad.name)
      const request = toAcquire(newHolder(bad.name), { tick: Date.now() + 5 })
      expect([title, ...(await provider.acquire([request]))]).toMatchObject([title, { granted: true }])
    }
  })
})
