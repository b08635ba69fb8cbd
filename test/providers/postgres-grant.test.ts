/* The statement that only grants: for many names, of a node whose last batch was mostly granted. */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type PostgresProvider, postgres } from '../../providers/postgres/index.ts'
import type { AcquireRequest, AcquireResult } from '../../src/provider/contract.ts'
import { ask } from './postgres-ask.ts'
import { oddPool } from './postgres-subject.ts'

const server = inject('servers').postgres
const TABLE = 'ticklock_grant'
/** Names that are free whenever they are asked for: enough for a batch of many. */
const FILL = Array.from({ length: 200 }, (_, index) => `fill ${index}`)

describe.skipIf('unavailable' in server)('the statement of postgres that only grants', () => {
  if ('unavailable' in server) return
  const pool = oddPool(server.url, 4)
  const other = new pg.Client({ connectionString: server.url })
  const node = postgres({ pool, table: TABLE })

  beforeAll(async () => {
    await other.connect()
    await other.query(`DROP TABLE IF EXISTS ${TABLE}`)
    await node.setup()
  })
  afterAll(async () => {
    await other.query(`DROP TABLE ${TABLE}`)
    await Promise.all([pool.end(), other.end()])
  })

  /** Leases of no length to speak of. */
  const fill = (): AcquireRequest[] => FILL.map((name) => ask(name, { lockAtMostFor: 0.001 }))

  /** A provider whose last batch was granted, and the names for each of its queries from then on. */
  async function granting(
    client: Pick<pg.Pool, 'query'> = pool,
  ): Promise<{ provider: PostgresProvider; queries: string[][] }> {
    const queries: string[][] = []
    const provider = postgres({
      pool: {
        query(text, values) {
          queries.push((values ?? [])[0] as string[])
          return client.query(text, values)
        },
      },
      table: TABLE,
    })
    await provider.acquire(fill())
    queries.length = 0
    return { provider, queries }
  }

  /** Asks for these among many that are free. Answers theirs. */
  async function among(provider: PostgresProvider, ...requests: AcquireRequest[]): Promise<readonly AcquireResult[]> {
    const batch = [...fill(), ...requests]
    const answers = await provider.acquire(batch)
    expect(answers.slice(0, FILL.length).every(({ granted }) => granted)).toBe(true)
    return answers.slice(FILL.length)
  }

  const free = async (name: string, more: Partial<AcquireRequest> = {}): Promise<void> => {
    await node.acquire([ask(name, more)])
    await node.forceRelease(name)
  }

  async function waiting(): Promise<void> {
    const sql = 'SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))'
    while ((await other.query(sql)).rows.length === 0);
  }

  /** Asks for it while another session has the row, which then makes this change. */
  async function behind(request: AcquireRequest, change: string): Promise<AcquireResult | undefined> {
    const { provider } = await granting()
    await other.query('BEGIN')
    await other.query(`SELECT FROM ${TABLE} WHERE name = $1 FOR UPDATE`, [request.name])
    const answer = among(provider, request)
    await waiting()
    await other.query(change)
    await other.query('COMMIT')
    return (await answer)[0]
  }

  it('takes one query, and another for those that it does not grant', async () => {
    await free('counted: free')
    await node.acquire([ask('counted: held')])
    const { provider, queries } = await granting()
    expect(await among(provider, ask('counted: free'))).toMatchObject([{ granted: true }])
    expect(queries).toEqual([[...FILL, 'counted: free']])
    queries.length = 0
    expect(await among(provider, ask('counted: held'), ask('counted: new'))).toMatchObject([
      { granted: false, reason: 'held' },
      { granted: true },
    ])
    expect(queries).toEqual([
      [...FILL, 'counted: held', 'counted: new'],
      ['counted: held', 'counted: new'],
    ])
  })

  it('is not used for a few', async () => {
    const { provider, queries } = await granting()
    await provider.acquire([ask('one of a few')])
    await provider.acquire([ask('one of a few')])
    expect(queries).toHaveLength(2)
  })

  it('answers a grant as the record has it', async () => {
    await free('as it is')
    const { provider } = await granting()
    const request = ask('as it is', { tick: 5_000, metadata: 'said', lockAtMostFor: 7_000 })
    const [answer] = await among(provider, request)
    const [record] = await node.read(['as it is'])
    if (!answer?.granted || !record) throw new Error('not granted')
    expect(answer.lease).toEqual({
      name: 'as it is',
      owner: request.owner,
      fencingToken: record.fencingToken,
      acquiredAt: record.lockedAt,
      lockUntil: record.lockUntil,
      storeTime: record.lockedAt,
    })
    expect(record).toMatchObject({ lastTick: 5_000, tickDone: false, metadata: 'said', paused: false })
    expect(record.lockUntil - record.lockedAt).toBeCloseTo(7_000, 2)
  })

  it('writes nothing for what is refused', async () => {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    const { provider, queries } = await granting(client)
    const names = FILL.map((name) => `held ${name}`)
    await node.acquire(names.map((name) => ask(name)))
    await client.query('BEGIN')
    const answers = await provider.acquire(names.map((name) => ask(name)))
    const { rows } = await client.query('SELECT txid_current_if_assigned() AS id')
    await client.query('ROLLBACK')
    await client.end()
    expect(answers.every(({ granted }) => !granted)).toBe(true)
    expect(queries).toEqual([names, names])
    expect(rows).toEqual([{ id: null }])
  })

  it('locks rows in the order of their names', async () => {
    for (const name of ['order c', 'order b', 'order a']) await free(name)
    const { provider } = await granting()
    const unlocked = async (name: string): Promise<boolean> =>
      (await other.query(`SELECT FROM ${TABLE} WHERE name = $1 FOR UPDATE SKIP LOCKED`, [name])).rows.length === 1
    await other.query('BEGIN')
    await other.query(`SELECT FROM ${TABLE} WHERE name = 'order b' FOR UPDATE`)
    const running = among(provider, ...['c', 'b', 'a'].map((letter) => ask(`order ${letter}`)))
    await waiting()
    expect(await unlocked('order a'), 'the first is locked').toBe(false)
    expect(await unlocked('order c'), 'the last is not yet').toBe(true)
    await other.query('COMMIT')
    expect(await running).toMatchObject([{ granted: true }, { granted: true }, { granted: true }])
  })

  describe('while another session has the row', () => {
    const change = (name: string, sql: string): string => `UPDATE ${TABLE} SET ${sql} WHERE name = '${name}'`

    it('is refused what the other took', async () => {
      await free('race')
      const taken = change(
        'race',
        "locked_by = 'winner', lock_until = clock_timestamp() AT TIME ZONE 'UTC' + interval '1 h'",
      )
      expect(await behind(ask('race'), taken)).toMatchObject({
        granted: false,
        reason: 'held',
        record: { lockedBy: 'winner' },
      })
    })

    it('is refused a tick that the other ran and gave back', async () => {
      await free('race for a tick')
      const tick = Date.UTC(2001, 0, 1)
      const ran = change('race for a tick', "last_tick = '2001-01-01', tick_done = true")
      expect(await behind(ask('race for a tick', { tick }), ran)).toMatchObject({
        granted: false,
        reason: 'tick-taken',
      })
    })

    it('is granted what the other left free, with a later token than the other had', async () => {
      await free('given back')
      const ahead = Date.now() * 1_000 + 1e12
      const used = change('given back', `fencing_token = ${ahead}, metadata = 'used'`)
      expect(await behind(ask('given back'), used)).toMatchObject({ granted: true, lease: { fencingToken: ahead + 1 } })
    })

    it('is granted what the other did not change, by the clock from when the row was got', async () => {
      await free('waited')
      const answer = await behind(ask('waited', { lockAtMostFor: 200 }), 'SELECT pg_sleep(0.3)')
      if (!answer?.granted) throw new Error('refused')
      const { rows } = await other.query('SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now')
      expect(answer.lease.lockUntil, 'the lease has not lapsed').toBeGreaterThan(rows[0].now)
    })

    it('makes a new record where the other dropped it', async () => {
      await free('dropped')
      expect(await behind(ask('dropped'), `DELETE FROM ${TABLE} WHERE name = 'dropped'`)).toMatchObject({
        granted: true,
      })
    })
  })
})
