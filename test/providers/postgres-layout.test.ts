/* Tables that can't keep locks, or that are not the one somebody else uses; and servers that are read-only. */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { postgres } from '../../providers/postgres/index.ts'
import { acquireAll } from '../../src/testing/requests.ts'
import { ask } from './postgres-send.ts'

const server = inject('servers').postgres
const SCHEMA = 'ticklock-layout$1'

describe.skipIf('unavailable' in server)('before its first use of a table, postgres', () => {
  if ('unavailable' in server) return
  const admin = new pg.Client({ connectionString: server.url })
  const pool = new pg.Pool({ connectionString: server.url, options: `-c search_path=${SCHEMA}` })
  beforeAll(async () => {
    await admin.connect()
    await admin.query(
      `DROP SCHEMA IF EXISTS "${SCHEMA}" CASCADE; CREATE SCHEMA "${SCHEMA}"; SET search_path = "${SCHEMA}"`,
    )
  })
  afterAll(async () => {
    await admin.query(`DROP SCHEMA "${SCHEMA}" CASCADE`)
    await Promise.all([admin.end(), pool.end()])
  })

  it.each(['lock_until', 'locked_at', 'last_tick'])(
    'refuses one whose %s has a time zone, in each verb',
    async (column) => {
      const table = `zoned_${column}`
      await postgres({ client: admin, table }).setup()
      await admin.query(`ALTER TABLE ${table} ALTER COLUMN ${column} TYPE timestamptz`)
      const provider = postgres({ pool, table })
      for (const call of [() => provider.acquire([ask('a')]), () => provider.read(), () => provider.forceRelease('a')])
        await expect(call()).rejects.toThrow(
          new RegExp(`${column} of the table ${table} must be .*without time zone.*ALTER TABLE`),
        )
      // The remedy that the error names.
      await admin.query(`ALTER TABLE ${table} ALTER COLUMN ${column} TYPE timestamp USING ${column} AT TIME ZONE 'UTC'`)
      expect(await provider.acquire([ask('a')])).toMatchObject([{ granted: true }])
    },
  )

  it('refuses a name that differs from that of another table by case alone, also to make it', async () => {
    await postgres({ client: admin, table: 'shedlock' }).setup()
    for (const table of ['SHEDLOCK', 'ShedLock', `${SCHEMA}.Shedlock`]) {
      const provider = postgres({ pool, table })
      await expect(provider.setup()).rejects.toThrow(/there is the table .*shedlock.* by case alone/)
      await expect(provider.acquire([ask('a')])).rejects.toThrow(/give table: /)
    }
    expect(await acquireAll(postgres({ pool, table: 'shedlock' }), [ask('a')])).toMatchObject([{ granted: true }])
  })

  it('says which schema it chose where others have a table of that name, once, unless the schema is given', async () => {
    await admin.query('DROP SCHEMA IF EXISTS ticklock_layout_2 CASCADE; CREATE SCHEMA ticklock_layout_2')
    for (const table of ['ticklock_layout_2.twice', `${SCHEMA}.twice`]) await postgres({ pool, table }).setup()
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const provider = postgres({ pool, table: 'twice' })
    for (let round = 0; round < 3; round++) await provider.read([])
    await postgres({ pool, table: `${SCHEMA}.twice` }).read([])
    expect(warn.mock.calls.map(([message]) => message)).toEqual([
      expect.stringMatching(/twice is ticklock-layout\$1\.twice here.*exists in ticklock_layout_2/),
    ])
    warn.mockRestore()
    await admin.query('DROP SCHEMA ticklock_layout_2 CASCADE')
  })

  it('knows how wide the columns of ShedLock are, until they are widened', async () => {
    await admin.query(`CREATE TABLE narrow (name varchar(64) PRIMARY KEY, lock_until timestamp(3) NOT NULL,
      locked_at timestamp(3) NOT NULL, locked_by varchar(64) NOT NULL, fencing_token bigint NOT NULL DEFAULT 0,
      last_tick timestamp(3), tick_done boolean NOT NULL DEFAULT false, metadata text, paused boolean NOT NULL DEFAULT false)`)
    const provider = postgres({ pool, table: 'narrow' })
    const [long, labelled] = [ask('n'.repeat(65)), ask('label', { label: 'l'.repeat(30) })]
    const results = await provider.acquire([ask('short'), long, labelled, ask('é'.repeat(64))])
    expect(results).toMatchObject([{ granted: true }, {}, {}, { granted: true }])
    expect(results[1]).toMatchObject({ message: expect.stringMatching(/column name takes 64 characters.*setup\(\)/) })
    expect(results[2]).toMatchObject({ message: expect.stringMatching(/column locked_by takes 64 characters/) })
    await postgres({ client: admin, table: 'narrow' }).setup()
    expect(await provider.acquire([long, labelled])).toMatchObject([{ granted: true }, { granted: true }])
  })

  it.each([
    ['metadata', { metadata: 'a\0b' }],
    ['metadata', { metadata: '\ud800' }],
    ['label', { label: 'a\0b' }],
    ['lockAtMostFor', { lockAtMostFor: Number.POSITIVE_INFINITY }],
    ['lockAtMostFor', { lockAtMostFor: Number.NaN }],
    ['tick', { tick: Number.NaN }],
    ['tick', { tick: 1e16 }],
    ['tick', { tick: -1e15 }],
    ['maxClockSkew', { maxClockSkew: Number.NaN }],
  ])('fails a request alone whose %s the table can not keep: %o', async (what, more) => {
    const provider = postgres({ pool, table: 'values' })
    await provider.setup()
    const results = await provider.acquire([
      ask(`before ${what}`, { lockAtMostFor: 1 }),
      ask('bad', more),
      ask('after', { lockAtMostFor: 1 }),
    ])
    expect(results[0]).toMatchObject({ granted: true })
    expect(results[1]).toMatchObject({ message: expect.stringContaining(what) })
    expect(results[2] instanceof Error).toBe(false)
    expect(await provider.read(['bad'])).toEqual([])
    await admin.query('DELETE FROM values')
  })

  it('fails a request alone that a constraint or a trigger of the table refuses, among 500', async () => {
    const provider = postgres({ pool, table: 'constrained' })
    await provider.setup()
    await admin.query(`ALTER TABLE constrained ADD CHECK (name <> 'job 321')`)
    const results = await provider.acquire(Array.from({ length: 500 }, (_, index) => ask(`job ${index}`)))
    expect(results.flatMap((result, index) => (result instanceof Error ? [index] : []))).toEqual([321])
    expect(results[321]).toMatchObject({ message: expect.stringMatching(/can't keep lock "job 321".*constraint/) })
  })

  it('leaves storage parameters alone that somebody has set, and sets them where there are none', async () => {
    const options = async (): Promise<unknown> =>
      (await admin.query(`SELECT reloptions FROM pg_class WHERE oid = '"${SCHEMA}".stored'::regclass`)).rows[0]
        .reloptions
    await admin.query(
      `CREATE TABLE stored (name varchar(64) PRIMARY KEY, lock_until timestamp NOT NULL, locked_at timestamp NOT NULL, locked_by varchar(255) NOT NULL)`,
    )
    await postgres({ pool, table: 'stored' }).setup()
    expect(await options()).toContain('fillfactor=40')
    await admin.query(
      'ALTER TABLE stored RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay); ALTER TABLE stored SET (fillfactor = 90)',
    )
    await postgres({ pool, table: 'stored' }).setup()
    expect(await options()).toEqual(['fillfactor=90'])
  })

  it.each(['pool', 'url'] as const)('drops a connection to a server that has become read-only: %s', async (kind) => {
    const database = `ticklock_read_only_${kind}`
    await admin.query(`DROP DATABASE IF EXISTS ${database}`)
    await admin.query(`CREATE DATABASE ${database}`)
    const url = new URL(server.url)
    url.pathname = `/${database}`
    const own = new pg.Pool({ connectionString: String(url), max: 1 })
    const provider = postgres(kind === 'pool' ? own : String(url))
    await provider.setup()
    // New sessions are read-only, as those of a standby are, until the database is promoted.
    await admin.query(`ALTER DATABASE ${database} SET default_transaction_read_only = on`)
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [database])
    let error: unknown
    do error = await provider.acquire([ask('a')]).catch((reason) => reason)
    while ((error as { code?: unknown }).code !== '25006')
    await admin.query(`ALTER DATABASE ${database} SET default_transaction_read_only = off`)
    expect(await provider.acquire([ask('a')])).toMatchObject([{ granted: true }])
    await provider.close()
    await own.end()
    await admin.query(`DROP DATABASE ${database}`)
  })
})
