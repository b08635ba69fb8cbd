/* What is particular to PostgreSQL: locks of rows, what a statement writes, isolation, ShedLock's table. */
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { postgres, postgresSetup } from '../../providers/postgres/index.ts'
import { StoreError } from '../../src/errors.ts'
import type { AcquireRequest, AcquireResult, LockProvider } from '../../src/provider/contract.ts'
import { ask } from './postgres-ask.ts'
import { oddPool } from './postgres-subject.ts'

const server = inject('servers').postgres
const SCHEMA = 'ticklock_particular'
const TABLE = `${SCHEMA}.ticklock`

// As ShedLock's documentation once had it; its newer one has plain timestamps.
const SHEDLOCK_COLUMNS =
  'name varchar(64), lock_until timestamp(3) NOT NULL, locked_at timestamp(3) NOT NULL, locked_by varchar(255) NOT NULL, PRIMARY KEY (name)'

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
    const [result] = await provider.acquire([request])
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
    it('writes nothing when it refuses, and something when it grants', async () => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      const provider = postgres({ client, table: TABLE })
      const [held, done, free] = [ask('wal held'), ask('wal done', { tick: 1_000 }), ask('wal free')]
      await node.acquire([held, done])
      await node.release([{ ...done, lockAtLeastFor: 0 }])

      // A transaction gets a number when it first writes or locks a row.
      const wrote = async (what: () => Promise<unknown>): Promise<boolean> => {
        await client.query('BEGIN')
        await what()
        const { rows } = await client.query('SELECT txid_current_if_assigned() AS id')
        await client.query('ROLLBACK')
        return rows[0].id !== null
      }
      const ahead = ask('wal free', { tick: Date.now() + 3_600_000 })
      expect(await wrote(() => provider.acquire([ask('wal held'), ask('wal done', { tick: 1_000 }), ahead]))).toBe(
        false,
      )
      expect(await wrote(() => provider.acquire([held]))).toBe(false)
      expect(await wrote(() => provider.extend([{ ...ask('wal held'), lockAtLeastFor: 0 }]))).toBe(false)
      expect(await wrote(() => provider.release([{ ...ask('wal held'), lockAtLeastFor: 0 }]))).toBe(false)
      expect(await wrote(() => provider.forceRelease('wal done'))).toBe(false)
      expect(await wrote(() => provider.acquire([free]))).toBe(true)
      expect(await wrote(() => provider.release([{ ...held, lockAtLeastFor: 0 }]))).toBe(true)
      await client.end()
    })

    it('costs one query for a batch, refusals and grants and lost races alike', async () => {
      const queries: string[] = []
      const counting = postgres({
        pool: {
          query(text, values) {
            queries.push(text)
            return pool.query(text, values)
          },
        },
        table: TABLE,
      })
      await node.acquire([ask('one query 1')])
      const names = Array.from({ length: 100 }, (_, index) => `one query ${index}`)
      await counting.acquire(names.map((name) => ask(name)))
      expect(queries).toHaveLength(1)
    })

    it('is for a part of a batch of thousands, side by side, and as a whole it fails only when all have ended', async () => {
      const sizes: number[] = []
      const ended: string[] = []
      let fails = false
      const parted = postgres({
        pool: {
          async query(text, values) {
            const names = (values ?? [])[0] as string[]
            sizes.push(names.length)
            if (fails && sizes.length === 1) throw new Error('gone')
            const answer = await pool.query(text, values)
            ended.push(...names)
            return answer
          },
        },
        table: TABLE,
      })
      const requests = Array.from({ length: 10_001 }, (_, index) => ask(`part ${index}`))
      fails = true
      await expect(parted.acquire(requests)).rejects.toThrow('gone')
      expect(ended).toHaveLength(10_001 - (sizes[0] ?? 0))
      fails = false
      sizes.length = 0
      const answers = await parted.acquire(requests)
      expect(sizes).toEqual([2_501, 2_501, 2_501, 2_498])
      expect(answers.map((answer) => answer.granted && [answer.lease.name, answer.lease.owner])).toEqual(
        requests.map(({ name, owner }) => [name, owner]),
      )
      await other.query(`DELETE FROM ${TABLE} WHERE name LIKE 'part %'`)
    })

    it('only reads where the last batch was mostly refused, and asks for no more than what then looks free', async () => {
      const queries: unknown[][] = []
      const looking = postgres({
        pool: {
          query(text, values) {
            queries.push(values?.[0] as unknown[])
            return pool.query(text, values)
          },
        },
        table: TABLE,
      })
      const names = Array.from({ length: 5 }, (_, index) => `looking ${index}`)
      const all = (): Promise<boolean[]> =>
        looking.acquire(names.map((name) => ask(name))).then((answers) => answers.map(({ granted }) => granted))
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
    })

    it('locks rows in the order of their names, so batches in opposite orders cannot deadlock', async () => {
      const unlocked = async (name: string): Promise<boolean> => {
        const { rows } = await other.query(`SELECT FROM ${TABLE} WHERE name = $1 FOR UPDATE SKIP LOCKED`, [name])
        return rows.length === 1
      }
      for (const verb of ['extend', 'release', 'acquire'] as const) {
        // Neither the order of the batch nor that of the rows in the table is that of the names.
        const batch = ['c', 'b', 'a'].map((letter) => ({ ...ask(`${verb} ${letter}`), lockAtLeastFor: 0 }))
        for (const request of batch) await one(request)
        if (verb === 'acquire') for (const { name } of batch) await node.forceRelease(name)
        await other.query('BEGIN')
        await other.query(`SELECT FROM ${TABLE} WHERE name = '${verb} b' FOR UPDATE`)
        const running: Promise<readonly unknown[]> = node[verb](batch)
        await waiting(1)
        expect(await unlocked(`${verb} a`), 'the first is locked').toBe(false)
        expect(await unlocked(`${verb} c`), 'the last is not yet').toBe(true)
        await other.query('COMMIT')
        expect(await running).toHaveLength(3)
      }
    })
  })

  describe('while another session has the row', () => {
    it('an acquisition that waited is refused with what the other wrote, and changes nothing', async () => {
      await free('race')
      const sql = `UPDATE ${TABLE} SET locked_by = 'winner', lock_until = clock_timestamp() AT TIME ZONE 'UTC' + interval '1 h' WHERE name = 'race'`
      const result = await behind('race', sql, () => one(ask('race')))
      expect(result).toMatchObject({ granted: false, reason: 'held', record: { lockedBy: 'winner' } })
      expect(await node.read(['race'])).toMatchObject([{ lockedBy: 'winner' }])
    })

    it('a tick that the other ran and gave back meanwhile is not run again', async () => {
      await free('race for a tick')
      const sql = `UPDATE ${TABLE} SET last_tick = '2001-01-01', tick_done = true WHERE name = 'race for a tick'`
      const tick = Date.UTC(2001, 0, 1)
      const result = await behind('race for a tick', sql, () => one(ask('race for a tick', { tick })))
      expect(result).toMatchObject({ granted: false, reason: 'tick-taken', record: { lastTick: tick } })
    })

    it('an acquisition whose record is dropped makes a new one', async () => {
      await free('dropped')
      const sql = `DELETE FROM ${TABLE} WHERE name = 'dropped'`
      expect(await behind('dropped', sql, () => one(ask('dropped')))).toMatchObject({ granted: true })
    })

    it('a lease counts from when the row was got, not from when it was asked for', async () => {
      await free('waited')
      const result = await behind('waited', 'SELECT pg_sleep(0.3)', () => one(ask('waited', { lockAtMostFor: 200 })))
      if (!result.granted) throw new Error('refused')
      const { rows } = await other.query(`SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now`)
      expect(result.lease.lockUntil, 'the lease has not lapsed').toBeGreaterThan(rows[0].now)
    })

    it('a lease that lapses while its extension or release waits is not extended, nor released', async () => {
      for (const verb of ['extend', 'release'] as const) {
        const request = ask(`lapses before ${verb}`, { lockAtMostFor: 400 })
        await one(request)
        const again = { ...request, lockAtMostFor: 60_000, lockAtLeastFor: 0 }
        const run = async (): Promise<readonly unknown[]> => await node[verb]([again])
        const [answer] = await behind(request.name, 'SELECT pg_sleep(0.5)', run)
        expect(answer || false, verb).toBe(false)
        const [record] = await node.read([request.name])
        expect(record?.lockUntil, verb).toBeLessThan(record?.storeTime ?? 0)
      }
    })

    it('of two releases by one owner the second, which waits for the first, is told that it is released', async () => {
      const request = ask('released twice')
      await one(request)
      const sql = `UPDATE ${TABLE} SET locked_by = locked_by || '#released', lock_until = locked_at WHERE name = 'released twice'`
      expect(await behind(request.name, sql, () => node.release([{ ...request, lockAtLeastFor: 0 }]))).toEqual([true])
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

  describe('what the server gives up on is tried again', () => {
    /** Tells the codes of the errors that a provider meets, and how long after each it comes back, ms. */
    function watched(client: pg.Pool): { provider: LockProvider; codes: unknown[]; pauses: number[] } {
      const codes: unknown[] = []
      const pauses: number[] = []
      let failed: number | undefined
      const query = (text: string, values?: unknown[]) => {
        if (failed !== undefined) pauses.push(performance.now() - failed)
        failed = undefined
        return client.query(text, values).catch((error) => {
          codes.push(error.code)
          failed = performance.now()
          throw error
        })
      }
      return { provider: postgres({ pool: { query }, table: TABLE }), codes, pauses }
    }
    const isolated = (isolation: string): pg.Pool =>
      new pg.Pool({
        connectionString: url,
        options: `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`,
      })

    it.each(['repeatable read', 'serializable'])('in sessions that are %s: a row that changed', async (isolation) => {
      const strict = isolated(isolation)
      const { provider, codes } = watched(strict)
      const name = `changed, ${isolation}`
      await free(name)
      const sql = `UPDATE ${TABLE} SET locked_by = 'winner', lock_until = clock_timestamp() AT TIME ZONE 'UTC' + interval '1 h' WHERE name = '${name}'`
      const result = await behind(name, sql, () => one(ask(name), provider))
      expect(result).toMatchObject({ granted: false, reason: 'held', record: { lockedBy: 'winner' } })
      expect(codes).toEqual(['40001'])
      await strict.end()
    })

    it.each(['repeatable read', 'serializable'])('in sessions that are %s: a race', async (isolation) => {
      const strict = isolated(isolation)
      const provider = postgres({ pool: strict, table: TABLE })
      for (let round = 0; round < 10; round++) {
        const requests = Array.from({ length: 6 }, () => ask(`${isolation} ${round % 2 && round}`))
        const results = await Promise.all(requests.map((request) => one(request, provider)))
        expect(results.filter(({ granted }) => granted)).toHaveLength(1)
        const batches = requests.map((request) => [{ ...request, lockAtLeastFor: 0 }])
        const released = await Promise.all(batches.map((batch) => provider.release(batch)))
        expect(released.flat().filter(Boolean)).toHaveLength(1)
      }
      await strict.end()
    })

    it('a deadlock with somebody who locks rows in another order, who is given time to get on', async () => {
      const { provider, codes, pauses } = watched(pool)
      await free('deadlock a')
      await free('deadlock b')
      await other.query('BEGIN')
      // The server looks for deadlocks when a session has waited so long: so it finds the provider's session, not this one.
      await other.query("SET LOCAL deadlock_timeout = '20s'")
      await other.query(`SELECT FROM ${TABLE} WHERE name = 'deadlock b' FOR UPDATE`)
      const asked = provider.acquire([ask('deadlock a'), ask('deadlock b')])
      await waiting(1)
      await other.query(`SELECT FROM ${TABLE} WHERE name = 'deadlock a' FOR UPDATE`)
      await other.query('COMMIT')
      expect(await asked).toMatchObject([{ granted: true }, { granted: true }])
      // Once more when the other session stood still for longer than the pause: nobody can promise that it doesn't.
      expect(new Set(codes)).toEqual(new Set(['40P01']))
      expect(Math.min(...pauses)).toBeGreaterThan(49)
    })
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
