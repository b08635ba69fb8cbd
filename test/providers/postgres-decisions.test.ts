/* Every kind of record meets every kind of request: the statements must decide as decide.ts does. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { postgres } from '../../providers/postgres/index.ts'
import type { AcquireRequest, ExtendRequest, LockRecord, ReleaseRequest } from '../../src/provider/contract.ts'
import { decideAcquire, decideExtend, decideRelease, type StoredLock } from '../../src/provider/decide.ts'
import { holderOf, releasedHolderOf } from '../../src/provider/holder.ts'
import { ask } from './postgres-ask.ts'
import { oddPool } from './postgres-subject.ts'

const server = inject('servers').postgres
const TABLE = 'ticklock_decisions'
const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** What a name has in the store; times are relative to the store's now. */
interface State {
  readonly lockedBy: 'ours' | 'released by us' | 'another'
  readonly lockUntil: number
  readonly lastTick: number | undefined
  readonly tickDone: boolean
}

function states(): (State | undefined)[] {
  const all: (State | undefined)[] = [undefined]
  for (const lockedBy of ['ours', 'released by us', 'another'] as const)
    for (const lockUntil of [-MINUTE, MINUTE])
      for (const lastTick of [undefined, -HOUR, 0, HOUR])
        for (const tickDone of [false, true]) all.push({ lockedBy, lockUntil, lastTick, tickDone })
  return all
}

describe.skipIf('unavailable' in server)('the statements of postgres decide as the reference does', () => {
  if ('unavailable' in server) return
  const pool = oddPool(server.url)
  const provider = postgres({ pool, table: TABLE })
  let now: number

  beforeAll(async () => {
    await pool.query(`DROP TABLE IF EXISTS ${TABLE}`)
    await provider.setup()
    const { rows } = await pool.query('SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now')
    now = rows[0].now
  })
  afterAll(async () => {
    await pool.query(`DROP TABLE ${TABLE}`)
    await pool.end()
  })

  /** Puts the record of a state there, past the provider; answers it as the reference knows it. */
  async function put(name: string, request: AcquireRequest, state: State | undefined): Promise<StoredLock | undefined> {
    if (!state) return undefined
    const lock: StoredLock = {
      name,
      lockedBy: {
        ours: holderOf(request),
        'released by us': releasedHolderOf(request),
        another: 'another-host:1#another',
      }[state.lockedBy],
      lockedAt: now - 2 * MINUTE,
      lockUntil: now + state.lockUntil,
      fencingToken: 7,
      lastTick: state.lastTick === undefined ? undefined : now + state.lastTick,
      tickDone: state.tickDone,
      metadata: 'as it was',
    }
    const utc = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())
    await pool.query(
      `INSERT INTO ${TABLE} SELECT $1, $2::timestamptz AT TIME ZONE 'UTC', $3::timestamptz AT TIME ZONE 'UTC', $4, $5,
        $6::timestamptz AT TIME ZONE 'UTC', $7, $8`,
      [
        name,
        utc(lock.lockUntil),
        utc(lock.lockedAt),
        lock.lockedBy,
        lock.fencingToken,
        utc(lock.lastTick),
        lock.tickDone,
        lock.metadata,
      ],
    )
    return lock
  }

  const stored = async (name: string): Promise<StoredLock | undefined> => {
    const [record] = await provider.read([name])
    return record && withoutTime(record)
  }

  it('acquire', async () => {
    const cases: { request: AcquireRequest; record: StoredLock | undefined }[] = []
    for (const state of states())
      for (const tick of [undefined, now, now + 30 * 24 * HOUR])
        for (const onCrash of ['skip', 'rerun'] as const) {
          const request = ask(`acquire ${cases.length}`, { tick, onCrash, maxClockSkew: 2 * HOUR, metadata: 'new' })
          cases.push({ request, record: await put(request.name, request, state) })
        }
    const results = await provider.acquire(cases.map(({ request }) => request))

    const outcomes = new Set<string>()
    for (const [index, { request, record }] of cases.entries()) {
      const result = results[index]
      if (!result) throw new Error('no answer')
      const storeTime = result.granted ? result.lease.storeTime : result.storeTime
      const expected = decideAcquire(record, request, storeTime)
      const title = JSON.stringify({ request, record })
      outcomes.add(expected.outcome === 'refuse' ? expected.reason : expected.outcome)
      if (expected.outcome === 'refuse') {
        expect(result, title).toEqual({
          granted: false,
          reason: expected.reason,
          record: record && { ...record, storeTime },
          storeTime,
        })
        expect(await stored(request.name), title).toEqual(record)
      } else {
        expect(result, title).toMatchObject({
          granted: true,
          lease: { name: request.name, owner: request.owner, acquiredAt: expected.next.lockedAt },
        })
        expect(rounded(await stored(request.name)), title).toEqual(rounded(expected.next))
      }
    }
    expect([...outcomes].sort()).toEqual(['clock-ahead', 'grant', 'granted-before', 'held', 'tick-taken'])
  })

  it('extend', async () => {
    for (const [index, state] of states().entries())
      for (const mayShortenUntil of [undefined, now - HOUR, now + HOUR])
        for (const lockAtLeastFor of [0, 10 * MINUTE]) {
          const name = `extend ${index} ${mayShortenUntil} ${lockAtLeastFor}`
          const request: ExtendRequest = { ...ask(name), lockAtMostFor: 1_000, lockAtLeastFor, mayShortenUntil }
          const record = await put(name, { ...ask(name), ...request }, state)
          const [lease] = await provider.extend([request])
          const expected = decideExtend(record, request, lease?.storeTime ?? now)
          expect(lease?.lockUntil, name).toEqual(expected && expect.closeTo(expected.lockUntil, 2))
          expect(rounded(await stored(name)), name).toEqual(rounded(expected ?? record))
        }
  })

  it('release', async () => {
    for (const [index, state] of states().entries())
      for (const tick of [undefined, now, now + HOUR])
        for (const lockAtLeastFor of [0, 10 * MINUTE]) {
          const name = `release ${index} ${tick} ${lockAtLeastFor}`
          const request: ReleaseRequest = { ...ask(name), lockAtLeastFor, tick }
          const record = await put(name, { ...ask(name), ...request }, state)
          const [released] = await provider.release([request])
          const after = await stored(name)
          // Without lockAtLeastFor the lock is free from the moment of the decision, which only the record tells.
          const moment = lockAtLeastFor === 0 && released && record?.lockedBy === holderOf(request)
          const expected = decideRelease(record, request, moment ? (after?.lockUntil ?? now) : now)
          expect(released, name).toBe(expected !== undefined)
          expect(rounded(after), name).toEqual(rounded(typeof expected === 'object' ? expected : record))
        }
  })
})

const withoutTime = ({ storeTime: _, ...lock }: LockRecord): StoredLock => lock

/** A record to the tenth of a millisecond: a double holds no more than the fourth decimal of these. */
const rounded = (lock: StoredLock | undefined): StoredLock | undefined =>
  lock && {
    ...lock,
    lockedAt: Math.round(lock.lockedAt * 10),
    lockUntil: Math.round(lock.lockUntil * 10),
    fencingToken: Math.round(lock.fencingToken / 100),
  }
