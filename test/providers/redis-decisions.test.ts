/* Every kind of record meets every kind of request: the scripts must decide as decide.ts does. */

import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { keySpace } from '../../providers/redis/keys.ts'
import { redis } from '../../providers/redis/redis.ts'
import type { LockRecord } from '../../src/provider/contract.ts'
import {
  decideAcquire,
  decideExtend,
  decidePause,
  decideRelease,
  decideReset,
  type StoredLock,
} from '../../src/provider/decide.ts'
import { holderOf, releasedHolderOf } from '../../src/provider/holder.ts'
import {
  acquireAll,
  extendAll,
  type Holder,
  newHolder,
  readAll,
  releaseAll,
  toAcquire,
  toExtend,
  toRelease,
} from '../../src/testing/requests.ts'
import { recordText } from './redis-inspect.ts'

const server = inject('servers').redis
const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** A request, and the record that it meets. */
interface Case<Request> {
  readonly request: Request
  readonly record: StoredLock | undefined
}

describe.skipIf('unavailable' in server)('the scripts of redis decide as the reference does', () => {
  if ('unavailable' in server) return
  const client = new Redis(server.url)
  const prefix = `test-${randomUUID()}:`
  const { keysOf } = keySpace(prefix)
  const provider = redis({ client, prefix })
  let now: number

  beforeAll(async () => {
    now = Number((await client.time())[0]) * 1_000
  })
  afterAll(async () => {
    const keys = await client.keys(`${prefix}*`)
    if (keys.length > 0) await client.del(...keys)
    client.disconnect()
  })

  /** All kinds of record that this holder can meet; the last token of some is ahead of the clock. */
  function records(holder: Holder): (StoredLock | undefined)[] {
    const all: (StoredLock | undefined)[] = [undefined]
    for (const lockedBy of [holderOf(holder), releasedHolderOf(holder), 'another-host:1#another'])
      for (const lockUntil of [now - MINUTE, now + MINUTE])
        for (const lastTick of [undefined, now - HOUR, now, now + HOUR])
          for (const [tickDone, paused] of [false, true].flatMap((done) =>
            [false, true].map((is) => [done, is] as const),
          )) {
            const fencingToken = tickDone ? 7 : (now + HOUR) * 1_000
            const record = { name: holder.name, lockedBy, lockedAt: now - 2 * MINUTE, lockUntil, fencingToken }
            all.push({ ...record, lastTick, tickDone, metadata: 'as it was', paused })
          }
    return all
  }

  /** Makes a case of each kind of record for each of these requests, and puts the records there, past the provider. */
  async function cases<Request>(requests: ((holder: Holder) => Request)[]): Promise<Case<Request>[]> {
    const all: Case<Request>[] = []
    const pipeline = client.pipeline()
    for (const make of requests)
      for (let kind = 0; kind < records(newHolder('')).length; kind++) {
        const holder = newHolder(randomUUID())
        const record = records(holder)[kind]
        all.push({ request: make(holder), record })
        if (!record) continue
        pipeline.set(keysOf(holder.name).record, recordText(record))
      }
    await pipeline.exec()
    return all
  }

  const stored = async (name: string): Promise<StoredLock | undefined> => {
    const [record] = await readAll(provider, [name])
    return record && withoutTime(record)
  }

  it('acquire', async () => {
    const requests = [undefined, now, now + HOUR + 1, now + 30 * 24 * HOUR].flatMap((tick) =>
      (['skip', 'rerun'] as const).map(
        (onCrash) => (holder: Holder) =>
          toAcquire(holder, { tick, onCrash, maxClockSkew: 2 * HOUR, metadata: tick ? 'new' : undefined }),
      ),
    )
    const all = await cases(requests)
    const results = await acquireAll(
      provider,
      all.map(({ request }) => request),
    )
    const outcomes = new Set<string>()
    for (const [index, { request, record }] of all.entries()) {
      const result = results[index]
      const storeTime = (result?.granted ? result.lease.storeTime : result?.storeTime) ?? Number.NaN
      const expected = decideAcquire(record, request, storeTime)
      const title = JSON.stringify({ request, record })
      if (expected.outcome === 'refuse') {
        const { reason } = expected
        outcomes.add(reason)
        expect(result, title).toEqual({ granted: false, reason, record: record && { ...record, storeTime }, storeTime })
        expect(await stored(request.name), title).toEqual(record)
      } else {
        outcomes.add(expected.outcome)
        const { name, lockedAt: acquiredAt, fencingToken, lockUntil } = expected.next
        const lease = { name, owner: request.owner, acquiredAt, fencingToken, lockUntil, storeTime }
        const rerun = expected.outcome === 'grant' ? expected.rerun : undefined
        expect(result, title).toEqual({ granted: true, lease, rerun })
        expect(await stored(request.name), title).toEqual(expected.next)
      }
    }
    expect([...outcomes].sort()).toEqual(['clock-ahead', 'grant', 'granted-before', 'held', 'paused', 'tick-taken'])
  })

  it('extend', async () => {
    const requests = [undefined, now - HOUR, now + HOUR].flatMap((mayShortenUntil) =>
      [0, 10 * MINUTE].map(
        (lockAtLeastFor) => (holder: Holder) =>
          toExtend(holder, { lockAtMostFor: 1_000, lockAtLeastFor, mayShortenUntil }),
      ),
    )
    const all = await cases(requests)
    const leases = await extendAll(
      provider,
      all.map(({ request }) => request),
    )
    for (const [index, { request, record }] of all.entries()) {
      const lease = leases[index]
      const expected = decideExtend(record, request, lease?.storeTime ?? now)
      const title = JSON.stringify({ request, record })
      expect(lease?.lockUntil, title).toEqual(expected?.lockUntil)
      expect(await stored(request.name), title).toEqual(expected ?? record)
    }
  })

  it('release', async () => {
    const requests = [undefined, now, now + HOUR].flatMap((tick) =>
      [0, 10 * MINUTE].map((lockAtLeastFor) => (holder: Holder) => toRelease(holder, { tick, lockAtLeastFor })),
    )
    const all = await cases(requests)
    const freed = await releaseAll(
      provider,
      all.map(({ request }) => request),
    )
    for (const [index, { request, record }] of all.entries()) {
      const after = await stored(request.name)
      // Without lockAtLeastFor the lock is free from the moment of the decision, which only the record tells.
      const moment = request.lockAtLeastFor === 0 && freed[index] && record?.lockedBy === holderOf(request)
      const { released, next } = decideRelease(record, request, moment ? (after?.lockUntil ?? now) : now)
      const title = JSON.stringify({ request, record })
      expect(freed[index], title).toBe(released)
      expect(after, title).toEqual(next ?? record)
    }
  })

  it('reset', async () => {
    const all = await cases([(holder: Holder) => ({ name: holder.name, maxClockSkew: MINUTE })])
    for (const { request, record } of all) {
      const title = JSON.stringify(record)
      const did = await provider.reset(request)
      const after = await stored(request.name)
      const expected = decideReset(record, request, now)
      expect(did, title).toBe(expected !== undefined)
      if (!expected) expect(after, title).toEqual(record)
      else expect(after, title).toEqual({ ...expected, lastTick: recently(now) })
    }
  })

  it('pause', async () => {
    const all = await cases([true, false].map((paused) => (holder: Holder) => ({ name: holder.name, paused })))
    for (const { request, record } of all) {
      const title = JSON.stringify({ request, record })
      const did = await provider.setPaused?.(request)
      const after = await stored(request.name)
      const later = now + MINUTE
      const expected = decidePause(record, request, later)
      expect(did, title).toBe(expected !== undefined)
      const { lastTick } = expected ?? {}
      if (!expected || !record) expect(after?.paused, title).toEqual(expected?.paused ?? record?.paused)
      else expect(after, title).toEqual({ ...expected, lastTick: lastTick === later ? recently(now) : lastTick })
    }
  })
})

/** A time of this test. */
const recently = (time: number): unknown =>
  expect.toSatisfy((actual: number) => actual >= time && actual <= time + 60_000)

const withoutTime = ({ storeTime: _, ...lock }: LockRecord): StoredLock => lock
