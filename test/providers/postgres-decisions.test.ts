/* Every kind of record meets every kind of request: the statements must decide as decide.ts does. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { postgres } from '../../providers/postgres/index.ts'
import type { ExtendRequest, ReleaseRequest } from '../../src/provider/contract.ts'
import { decideAcquire, decideExtend, decideRelease, type StoredLock } from '../../src/provider/decide.ts'
import { holderOf, releasedHolderOf } from '../../src/provider/holder.ts'
import { acquireAll, extendAll, readAll, releaseAll } from '../../src/testing/requests.ts'
import { ask } from './postgres-send.ts'
import { oddPool } from './postgres-subject.ts'

const server = inject('servers').postgres
const TABLE = 'ticklock_decisions'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** A token from a clock that was 60 years ahead. */
const AHEAD = Date.now() * 1_000 + 60 * 365 * 24 * HOUR * 1_000

/** What a name has in the store; times are relative to the store's now. */
interface State {
  readonly lockedBy: 'ours' | 'released by us' | 'another'
  readonly lockUntil: number
  readonly lastTick: number | undefined
  readonly tickDone: boolean
  readonly paused: boolean
}

function states(): (State | undefined)[] {
  const all: (State | undefined)[] = [undefined]
  for (const lockedBy of ['ours', 'released by us', 'another'] as const)
    for (const lockUntil of [-MINUTE, MINUTE])
      for (const lastTick of [undefined, -HOUR, 0, HOUR])
        for (const tickDone of [false, true])
          for (const paused of [false, true]) all.push({ lockedBy, lockUntil, lastTick, tickDone, paused })
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

  /** The record of a state, as the reference knows it, under the name of the request. */
  const recordOf = (request: Named, state: State | undefined, index: number): StoredLock | undefined =>
    state && {
      name: request.name,
      lockedBy: {
        ours: holderOf(request),
        'released by us': releasedHolderOf(request),
        another: 'another-host:1#another',
      }[state.lockedBy],
      lockedAt: now - 2 * MINUTE,
      lockUntil: now + state.lockUntil,
      fencingToken: index % 2 === 0 ? 7 : AHEAD,
      lastTick: state.lastTick === undefined ? undefined : now + state.lastTick,
      tickDone: state.tickDone,
      metadata: 'as it was',
      paused: state.paused,
    }

  /** Crosses all states with these variations of a request, and puts their records into the table, past the provider. */
  async function crossed<Request extends Named>(variations: ((name: string) => Request)[]): Promise<Case<Request>[]> {
    const cases = states().flatMap((state) =>
      variations.map((make, index) => {
        const request = make(randomUUID())
        return { request, record: recordOf(request, state, index) }
      }),
    )
    const records = cases.flatMap(({ record }) => record ?? [])
    const column = (value: (record: StoredLock) => unknown): unknown[] => records.map((record) => value(record) ?? null)
    const utc = (ms: number | undefined): string | null =>
      ms === undefined ? null : new Date(ms).toISOString().slice(0, -1)
    await pool.query(
      `INSERT INTO ${TABLE} SELECT * FROM unnest(
        $1::text[], $2::timestamp[], $3::timestamp[], $4::text[], $5::bigint[], $6::timestamp[], $7::boolean[], $8::text[], $9::boolean[])`,
      [
        column(({ name }) => name),
        column(({ lockUntil }) => utc(lockUntil)),
        column(({ lockedAt }) => utc(lockedAt)),
        column(({ lockedBy }) => lockedBy),
        column(({ fencingToken }) => fencingToken),
        column(({ lastTick }) => utc(lastTick)),
        column(({ tickDone }) => tickDone),
        column(({ metadata }) => metadata),
        column(({ paused }) => paused),
      ],
    )
    return cases
  }

  async function stored(): Promise<Map<string, StoredLock>> {
    return new Map((await readAll(provider)).map(({ storeTime: _, ...lock }) => [lock.name, lock]))
  }

  it.each(['first', 'after a batch that was refused'])('acquire, %s', async (when) => {
    const provider = postgres({ pool, table: TABLE })
    // It then reads first, and only takes what looks free.
    if (when !== 'first') await acquireAll(provider, [ask(randomUUID(), { tick: now + 24 * HOUR })])
    const cases = await crossed(
      [undefined, now, now + 30 * 24 * HOUR].flatMap((tick) =>
        (['skip', 'rerun'] as const).flatMap((onCrash) =>
          // Twice, for each of the two tokens.
          [1, 2].map(() => (name: string) => ask(name, { tick, onCrash, maxClockSkew: 2 * HOUR, metadata: 'new' })),
        ),
      ),
    )
    const results = await acquireAll(
      provider,
      cases.map(({ request }) => request),
    )
    const after = await stored()

    const outcomes = new Set<string>()
    for (const [index, { request, record }] of cases.entries()) {
      const result = results[index]
      if (!result) throw new Error('no answer')
      const title = JSON.stringify({ request, record })
      const storeTime = result.granted ? result.lease.storeTime : result.storeTime
      const expected = decideAcquire(record, request, storeTime)
      if (expected.outcome === 'refuse') {
        const { reason } = expected
        expect(result, title).toEqual({ granted: false, reason, record: record && { ...record, storeTime }, storeTime })
        expect(after.get(request.name), title).toEqual(record)
      } else {
        const { name, owner } = request
        const { lockedAt: acquiredAt, lockUntil, fencingToken } = nearly(expected.next)
        const lease = { name, owner, acquiredAt, lockUntil, fencingToken, storeTime }
        expect(result, title).toEqual({
          granted: true,
          lease,
          rerun: expected.outcome === 'grant' ? expected.rerun : undefined,
        })
        expect(after.get(name), title).toEqual(nearly(expected.next))
      }
      outcomes.add(expected.outcome === 'refuse' ? expected.reason : expected.outcome)
    }
    expect([...outcomes].sort()).toEqual(['clock-ahead', 'grant', 'granted-before', 'held', 'paused', 'tick-taken'])
  })

  it('extend', async () => {
    const cases = await crossed<ExtendRequest>(
      [undefined, now - HOUR, now + HOUR].flatMap((mayShortenUntil) =>
        [0, 10 * MINUTE].map((lockAtLeastFor) => (name: string) => ({
          ...ask(name, { lockAtMostFor: 1_000 }),
          lockAtLeastFor,
          mayShortenUntil,
        })),
      ),
    )
    const leases = await extendAll(
      provider,
      cases.map(({ request }) => request),
    )
    const after = await stored()
    for (const [index, { request, record }] of cases.entries()) {
      const lease = leases[index]
      const title = JSON.stringify({ request, record })
      const expected = decideExtend(record, request, lease?.storeTime ?? now)
      expect(lease?.lockUntil, title).toEqual(expected && nearly(expected).lockUntil)
      const left = expected ?? record
      expect(after.get(request.name), title).toEqual(left && nearly(left))
    }
  })

  it('release', async () => {
    const cases = await crossed<ReleaseRequest>(
      [undefined, now, now + HOUR].flatMap((tick) =>
        [0, 10 * MINUTE].map((lockAtLeastFor) => (name: string) => ({ ...ask(name), lockAtLeastFor, tick })),
      ),
    )
    const answers = await releaseAll(
      provider,
      cases.map(({ request }) => request),
    )
    const after = await stored()
    for (const [index, { request, record }] of cases.entries()) {
      const title = JSON.stringify({ request, record })
      // The clock as it was when this one was decided stands in the record, where no lockAtLeastFor keeps it taken.
      const moment = answers[index] && record?.lockedBy === holderOf(request) && request.lockAtLeastFor === 0
      const decidedAt = moment ? after.get(request.name)?.lockUntil : now
      const expected = decideRelease(record, request, decidedAt ?? Number.NaN)
      expect(answers[index], title).toBe(expected.released)
      const left = expected.next ?? record
      expect(after.get(request.name), title).toEqual(left && nearly(left))
      if (moment) expect(decidedAt, title).toBeGreaterThanOrEqual(now)
    }
  })
})

interface Named {
  readonly name: string
  readonly owner: string
  readonly label: string
}

interface Case<Request> {
  readonly request: Request
  readonly record: StoredLock | undefined
}

/** A double holds these times to the fourth decimal of a millisecond; a token that comes from the clock is off by as much. */
const nearly = (lock: StoredLock) => ({
  ...lock,
  lockUntil: expect.closeTo(lock.lockUntil, 2),
  fencingToken: lock.fencingToken > AHEAD ? lock.fencingToken : expect.closeTo(lock.fencingToken, -1),
})
