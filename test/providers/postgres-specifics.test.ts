/* What is particular to PostgreSQL: locks of rows, what a statement writes, isolation, ShedLock's table. */
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { postgres, postgresSetup } from '../../providers/postgres/index.ts'
import { RecordBusyError, StoreError } from '../../src/errors.ts'
import type { AcquireRequest, AcquireResult, LockProvider } from '../../src/provider/contract.ts'
import { acquireAll, readAll, releaseAll } from '../../src/testing/requests.ts'
import { ask } from './postgres-send.ts'
import { oddPool, watchedPool } from './postgres-subject.ts'

const server = inject('servers').postgres
const SCHEMA = 'ticklock_particular'
const TABLE = `${SCHEMA}.ticklock`

// As ShedLock's documentation once had it; its newer one has plain timestamps.
const SHEDLOCK_COLUMNS =
  'name varchar(64), lock_until timestamp(3) NOT NULL, locked_at timestamp(3) NOT NULL, locked_by varchar(255) NOT NULL, PRIMARY KEY (name)'

/** The names of a batch: in the values of a statement, the first list that isn't empty. */
const isNames = (value: unknown): boolean => Array.isArray(value) && value.length > 0

describe.skipIf('unavailable' in server)('postgres in particular', () => {
  if ('unavailable' in server) return
  const { url } = server
  const pool = oddPool(url, 8)
  const node = postgres({ pool, table: TABLE })
  /** A session of our own, beside the provider's. */
  const other = new pg.Client({ connectionString: url })

  beforeAll(async () => {
    await other.connect()
    await other.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE; CREATE SCHEMA ${SCHEMA}`)
    await node.setup()
  })
  afterAll(async () => {
    await other.query(`DROP SCHEMA ${SCHEMA} CASCADE`)
    await Promise.all([pool.end(), other.end()])
  })

  const one = async (request: AcquireRequest, provider: LockProvider = node): Promise<AcquireResult> => {
    const [result] = await acquireAll(provider, [request])
    if (!result) throw new Error('no answer')
    return result
  }

  /** Resolves when so many sessions wait for a lock of this session. */
  async function waiting(count: number): Promise<void> {
    // Not pg_stat_activity, which within a transaction is read once and kept.
    const sql =
      'SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))'
    while ((await other.query(sql)).rows[0].n < count);
  }

  /** Runs `change` in a session that holds the row, while `ask` waits for it. */
  async function behind<Result>(name: string, change: string, ask: () => Promise<Result>): Promise<Result> {
    await other.query('BEGIN')
    await other.query(`SELECT FROM ${TABLE} WHERE name = $1 FOR UPDATE`, [name])
    const answer = ask()
    await waiting(1)
    await other.query(change)
    await other.query('COMMIT')
    return await answer
  }

  /** A name whose record is there, and free. */
  const free = async (name: string): Promise<void> => {
    await node.acquire([ask(name)])
    await node.forceRelease(name)
  }

  describe('a statement', () => {
    it('neither locks nor writes a row when it refuses', async () => {
      const [held, done, free] = [ask('refused held'), ask('refused done', { tick: 1_000 }), ask('refused free')]
      await node.acquire([held, done, free])
      await node.release([done, free].map((request) => ({ ...request, lockAtLeastFor: 0 })))
      // Whoever locks a row leaves the number of a transaction in xmax.
      const rows = async (): Promise<unknown> =>
        (await other.query(`SELECT name, ctid, xmin, xmax FROM ${TABLE} WHERE name LIKE 'refused%' ORDER BY 1`)).rows
      const before = await rows()
      const ahead = ask('refused free', { tick: Date.now() + 3_600_000 })
      await node.acquire([ask('refused held'), ask('refused done', { tick: 1_000 }), ahead])
      await postgres({ pool, table: TABLE }).acquire([ask('refused held'), ask('refused done', { tick: 1_000 }), ahead])
      await node.acquire([held])
      await node.extend([{ ...ask('refused held'), lockAtLeastFor: 0 }])
      await node.release([{ ...ask('refused held'), lockAtLeastFor: 0 }])
      await node.forceRelease('refused done')
      expect(await rows()).toEqual(before)
      await node.release([{ ...held, lockAtLeastFor: 0 }])
      expect(await rows()).not.toEqual(before)
    })

    it('costs one query for a batch, refusals and grants and lost races alike', async () => {
      let queries = 0
      const watched = watchedPool(url, () => queries++)
      const counting = postgres({ pool: watched, table: TABLE })
      await node.acquire([ask('one query 1')])
      const names = Array.from({ length: 100 }, (_, index) => `one query ${index}`)
      await counting.read([]) // Looks at the table's columns, once.
      queries = 0
      await counting.acquire(names.map((name) => ask(name)))
      expect(queries).toBe(1)
      await watched.end()
    })

    it('reads first where most are expected to be refused, and the next batch does not', async () => {
      const queries: unknown[][] = []
      const watched = watchedPool(url, (values) => queries.push(values.find(isNames) as unknown[]))
      const looking = postgres({ pool: watched, table: TABLE })
      const names = Array.from({ length: 5 }, (_, index) => `expected ${index}`)
      const granted = async (asked: readonly string[], mostRefused: boolean): Promise<boolean[]> => {
        const results = await looking.acquire(
          asked.map((name) => ask(name)),
          { mostRefused },
        )
        return results.map((result) => !(result instanceof Error) && result.granted)
      }
      await looking.read([]) // Looks at the table's columns, once.
      queries.length = 0
      await node.acquire(names.slice(1).map((name) => ask(name)))
      expect(await granted(names, true)).toEqual([true, false, false, false, false])
      expect(queries).toEqual([names, ['expected 0']])
      queries.length = 0
      expect(await granted(names, true)).toEqual(names.map(() => false))
      expect(await granted(['expected 5', 'expected 6'], false)).toEqual([true, true])
      expect(queries).toEqual([names, ['expected 5', 'expected 6']])
      await watched.end()
    })

    it('only reads where the last batch was mostly refused, and asks for no more than what then looks free', async () => {
      const queries: unknown[][] = []
      const watched = watchedPool(url, (values) => queries.push(values.find(isNames) as unknown[]))
      const looking = postgres({ pool: watched, table: TABLE })
      const names = Array.from({ length: 5 }, (_, index) => `looking ${index}`)
      const all = (): Promise<boolean[]> =>
        acquireAll(
          looking,
          names.map((name) => ask(name)),
        ).then((answers) => answers.map(({ granted }) => granted))
      await looking.read([]) // Looks at the table's columns, once.
      queries.length = 0
      await node.acquire(names.map((name) => ask(name)))
      const refused = names.map(() => false)
      expect(await all()).toEqual(refused)
      expect(await all()).toEqual(refused)
      expect(queries).toEqual([names, names])

      queries.length = 0
      await node.forceRelease('looking 3')
      expect(await all()).toEqual(names.map((name) => name === 'looking 3'))
      expect(queries).toEqual([names, ['looking 3']])

      queries.length = 0
      for (const name of names) await node.forceRelease(name)
      await all()
      expect(queries).toEqual([names, names])
      queries.length = 0
      for (const name of names) await node.forceRelease(name)
      await all()
      expect(queries).toEqual([names])
      await watched.end()
    })
  })

  describe('while another session has the row', () => {
    it('each verb says at once that it is busy, and changes nothing', async () => {
      const held = ask('busy')
      await one(held)
      await free('busy and free')
      const before = await readAll(node, ['busy', 'busy and free'])
      await other.query('BEGIN')
      await other.query(`SELECT FROM ${TABLE} WHERE name LIKE 'busy%' FOR UPDATE`)
      const busy = [expect.any(RecordBusyError)]
      expect(await node.acquire([ask('busy and free')])).toEqual(busy)
      expect(await node.extend([{ ...held, lockAtLeastFor: 0 }])).toEqual(busy)
      expect(await node.release([{ ...held, lockAtLeastFor: 0 }])).toEqual(busy)
      // What is refused by the record as it stands needs no lock.
      expect(await node.acquire([ask('busy')])).toMatchObject([{ granted: false, reason: 'held' }])
      expect(await node.extend([{ ...ask('busy'), lockAtLeastFor: 0 }])).toEqual([undefined])
      await other.query('ROLLBACK')
      const after = await readAll(node, ['busy', 'busy and free'])
      expect(after.map(({ storeTime: _, ...record }) => record)).toEqual(
        before.map(({ storeTime: _, ...record }) => record),
      )
    })

    it('a release that comes again while the first is under way ends as released', async () => {
      const request = ask('released twice')
      await one(request)
      await other.query('BEGIN')
      const sql = `UPDATE ${TABLE} SET locked_by = locked_by || '#released', lock_until = locked_at WHERE name = $1`
      await other.query(sql, [request.name])
      expect(await node.release([{ ...request, lockAtLeastFor: 0 }])).toEqual([expect.any(RecordBusyError)])
      await other.query('COMMIT')
      expect(await node.release([{ ...request, lockAtLeastFor: 0 }])).toEqual([true])
    })

    it.each(['extend', 'release'] as const)('a lease that expires meanwhile: %s', async (verb) => {
      const request = ask(`expires before ${verb}`, { lockAtMostFor: 200 })
      await one(request)
      await other.query('BEGIN')
      await other.query(`SELECT FROM ${TABLE} WHERE name = $1 FOR UPDATE`, [request.name])
      await other.query('SELECT pg_sleep(0.3)')
      await other.query('COMMIT')
      const again = { ...request, lockAtMostFor: 60_000, lockAtLeastFor: 0 }
      const [result] = (await node[verb]([again])) as readonly unknown[]
      expect(result || false).toBe(false)
    })

    it.each([
      ['forceRelease', () => node.forceRelease('waits'), true],
      ['reset', () => node.reset({ name: 'waits', maxClockSkew: 60_000 }), false],
      ['setPaused', () => node.setPaused?.({ name: 'waits', paused: true }), true],
    ] as const)('%s waits for it, and decides on what the other left', async (_, call, changed) => {
      await one(ask('waits', { lockAtMostFor: 1 }))
      await other.query(
        `UPDATE ${TABLE} SET lock_until = 'infinity', paused = false, last_tick = '9999-01-01' WHERE name = 'waits'`,
      )
      const sql = `UPDATE ${TABLE} SET metadata = 'edited', last_tick = NULL WHERE name = 'waits'`
      expect(await behind('waits', sql, async () => await call())).toBe(changed)
      expect(await readAll(node, ['waits'])).toMatchObject([{ metadata: 'edited', lastTick: undefined }])
    })

    it('a name whose record an open transaction creates is busy alone, among 1,000 new ones', async () => {
      await other.query('BEGIN')
      await other.query(`INSERT INTO ${TABLE} VALUES ('new 500', now(), now(), 'stranger')`)
      const requests = Array.from({ length: 1_000 }, (_, index) => ask(`new ${index}`))
      const results = await node.acquire(requests)
      await other.query('ROLLBACK')
      const failed = results.flatMap((result, index) => (result instanceof Error ? [index] : []))
      expect(failed).toEqual([500])
      expect(results[500]).toBeInstanceOf(RecordBusyError)
      expect(await one(requests[500] as AcquireRequest)).toMatchObject({ granted: true })
    })

    it('prune neither waits for it nor drops it', async () => {
      await free('in use')
      await other.query('BEGIN')
      await other.query(`SELECT FROM ${TABLE} WHERE name = 'in use' FOR UPDATE`)
      await node.prune(0)
      await other.query('COMMIT')
      expect(await node.read(['in use'])).toHaveLength(1)
    })
  })

  it.each(['repeatable read', 'serializable'])('a race in sessions that are %s', async (isolation) => {
    const options = `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`
    const strict = new pg.Pool({ connectionString: url, options })
    const provider = postgres({ pool: strict, table: TABLE })
    for (let round = 0; round < 10; round++) {
      const requests = Array.from({ length: 6 }, () => ask(`${isolation} ${round % 2 && round}`))
      const results = await Promise.all(requests.map((request) => one(request, provider)))
      expect(results.filter(({ granted }) => granted)).toHaveLength(1)
      const batches = requests.map((request) => [{ ...request, lockAtLeastFor: 0 }])
      const released = await Promise.all(batches.map((batch) => releaseAll(provider, batch)))
      expect(released.flat().filter(Boolean)).toHaveLength(1)
    }
    await strict.end()
  })

  describe('a table of ShedLock', () => {
    const SHEDLOCK = `${SCHEMA}.shedlock`
    const shared = postgres({ pool, table: SHEDLOCK })

    it('is refused as it is, by an error that says what to do, and set up by many nodes at once', async () => {
      await other.query(`CREATE TABLE ${SHEDLOCK} (${SHEDLOCK_COLUMNS})`)
      await other.query(
        `INSERT INTO ${SHEDLOCK} VALUES ('jvm job', timezone('utc', now()) + interval '1 h', timezone('utc', now()), 'jvm-host')`,
      )
      const error = await shared.acquire([ask('jvm job')]).catch((reason) => reason)
      expect(error).toBeInstanceOf(StoreError)
      expect(error.message).toMatch(/ticklock_particular\.shedlock lacks .*setup\(\)/)
      expect(error.cause).toMatchObject({ code: '42703' })

      await Promise.all(Array.from({ length: 8 }, () => shared.setup()))
      expect(await one(ask('jvm job'), shared)).toMatchObject({
        reason: 'held',
        record: { lockedBy: 'jvm-host', fencingToken: 0, tickDone: false, lastTick: undefined },
      })
    })

    it('warns of a JVM that takes locks by a clock hours off', async () => {
      const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
      const sql = `UPDATE ${SHEDLOCK} SET locked_by = 'jvm-in-tokyo', locked_at = timezone('utc', now()) + interval '9 h', lock_until = timezone('utc', now()) + interval '10 h'`
      await other.query(sql)
      expect(await one(ask('jvm job'), shared)).toMatchObject({ reason: 'held' })
      expect(warn.mock.calls).toEqual([[expect.stringMatching(/jvm-in-tokyo .*9\.0 hours ahead/), expect.anything()]])
      warn.mockRestore()
    })

    it('keeps names of 255 characters and whole microseconds once it is set up', async () => {
      const name = 'ß'.repeat(255)
      const result = await one(ask(name), shared)
      expect(result.granted).toBe(true)
      const { rows } = await other.query(
        `SELECT atttypmod FROM pg_attribute WHERE attrelid = '${SHEDLOCK}'::regclass AND attname IN ('lock_until', 'locked_at')`,
      )
      expect(rows).toEqual([{ atttypmod: -1 }, { atttypmod: -1 }])
    })

    it('with times in another type is refused by setup', async () => {
      await other.query(`CREATE TABLE ${SCHEMA}.zoned (name varchar(64) PRIMARY KEY, lock_until timestamptz NOT NULL,
        locked_at timestamptz NOT NULL, locked_by varchar(255) NOT NULL)`)
      await expect(postgres({ pool, table: `${SCHEMA}.zoned` }).setup()).rejects.toThrow(/timestamp without time zone/)
    })
  })

  describe('setup', () => {
    it('waits for no reader of a table that is complete', async () => {
      await other.query('BEGIN')
      await other.query(`SELECT count(*) FROM ${TABLE}`) // A backup does so for hours.
      await node.setup()
      await other.query('COMMIT')
      expect(await one(ask('after setup'))).toMatchObject({ granted: true })
    })

    it('waits for another node that is at it', async () => {
      const late = postgres({ pool, table: `${SCHEMA}.set_up_twice` })
      await other.query('BEGIN')
      await other.query(postgresSetup(`${SCHEMA}.set_up_twice`))
      const done = late.setup()
      await waiting(1)
      await other.query('COMMIT')
      await done
      expect(await late.read()).toEqual([])
    })

    it('needs no right to make tables when the table is there', async () => {
      await other.query(`DROP ROLE IF EXISTS ticklock_app; CREATE ROLE ticklock_app LOGIN;
        GRANT USAGE ON SCHEMA ${SCHEMA} TO ticklock_app; GRANT SELECT, INSERT, UPDATE, DELETE ON ${TABLE} TO ticklock_app`)
      const client = new pg.Client({ connectionString: url, options: '-c role=ticklock_app' })
      await client.connect()
      const provider = postgres({ client, table: TABLE })
      await provider.setup()
      expect(await one(ask('by the app'), provider)).toMatchObject({ granted: true })
      await client.end()
      await other.query(`DROP OWNED BY ticklock_app; DROP ROLE ticklock_app`)
    })

    it('is one statement to paste into a migration, as the documentation has it', async () => {
      const page = new URL('../../docs/providers/postgres.md', import.meta.url)
      expect(readFileSync(page, 'utf8')).toContain(`\`\`\`sql\n${postgresSetup()}\n\`\`\``)
      await other.query('BEGIN')
      await other.query(`SET LOCAL search_path = ${SCHEMA}`)
      await other.query(postgresSetup('pasted'))
      await other.query('COMMIT')
      const provider = postgres({ pool, table: `${SCHEMA}.pasted` })
      expect(await one(ask('job'), provider)).toMatchObject({ granted: true })
      expect(() => postgresSetup("x'; DROP TABLE y")).toThrow(/table must be/)
    })
  })

  it('a table that is missing gives an error that says how to make it, in every verb', async () => {
    const missing = postgres({ pool, table: `${SCHEMA}.missing` })
    const request = { ...ask('job'), lockAtLeastFor: 0 }
    for (const call of [
      () => missing.acquire([request]),
      () => missing.extend([request]),
      () => missing.release([request]),
      () => missing.read(),
      () => missing.forceRelease('job'),
      () => missing.prune(0),
    ]) {
      const error = await call().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(StoreError)
      expect(error).toMatchObject({
        cause: { code: '42P01' },
        message: expect.stringMatching(/postgresSetup\('.*missing'\)/),
      })
    }
  })

  it('keeps times in UTC, to the microsecond, whatever the zone of the session', async () => {
    const result = await one(ask('utc', { tick: 1_700_000_000_123, lockAtMostFor: 36_500 * 24 * 3_600_000 }))
    if (!result.granted) throw new Error('refused')
    const { rows } = await other.query(
      `SELECT (clock_timestamp() AT TIME ZONE 'UTC' - locked_at) < interval '1 min' AS now,
        lock_until - locked_at = interval '36500 days' AS exact, last_tick::text AS tick
      FROM ${TABLE} WHERE name = 'utc'`,
    )
    expect(rows).toEqual([{ now: true, exact: true, tick: '2023-11-14 22:13:20.123' }])
    expect(result.lease.lockUntil - result.lease.acquiredAt).toBeCloseTo(36_500 * 24 * 3_600_000, 2)
  })

  it('a lock that someone took for ever by hand is held', async () => {
    await one(ask('for ever'))
    await other.query(`UPDATE ${TABLE} SET lock_until = 'infinity', locked_by = 'an operator' WHERE name = 'for ever'`)
    const result = await one(ask('for ever'))
    expect(result).toMatchObject({ granted: false, reason: 'held', record: { lockedBy: 'an operator' } })
    const until = result.granted ? 0 : result.record?.lockUntil
    expect(new Date(until ?? Number.NaN).getTime()).not.toBeNaN()
  })
})
