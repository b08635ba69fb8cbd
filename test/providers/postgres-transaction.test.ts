/* A connection inside somebody else's transaction: what is granted there is seen by nobody, and a ROLLBACK undoes it. */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { postgres } from '../../providers/postgres/index.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import { type PgBouncer, startPgBouncer } from '../servers/pgbouncer.ts'
import { drizzleOverPglite, postgresClients } from './clients-postgres.ts'
import { ask } from './postgres-send.ts'

const server = inject('servers').postgres
const TABLE = 'ticklock_transaction'
const REFUSED = /inside a transaction that somebody else began/

/** Each verb that writes. */
const verbs = (provider: LockProvider): (() => Promise<unknown>)[] => {
  const request = { ...ask('in a transaction'), lockAtLeastFor: 0 }
  return [
    () => provider.acquire([request]),
    () => provider.extend([request]),
    () => provider.release([request]),
    () => provider.forceRelease(request.name),
    () => provider.reset({ name: request.name, maxClockSkew: 0 }),
    async () => await provider.setPaused?.({ name: request.name, paused: true }),
    async () => await provider.setPaused?.({ name: request.name, paused: false }),
  ]
}

describe.skipIf('unavailable' in server)('inside a transaction of somebody else, postgres refuses each verb', () => {
  if ('unavailable' in server) return
  const admin = new pg.Client({ connectionString: server.url })
  let bouncer: PgBouncer
  beforeAll(async () => {
    bouncer = await startPgBouncer(server.url)
    await admin.connect()
    await admin.query(`DROP TABLE IF EXISTS ${TABLE}`)
    await postgres({ client: admin, table: TABLE }).setup()
  })
  afterAll(async () => {
    await admin.query(`DROP TABLE ${TABLE}`)
    await Promise.all([admin.end(), bouncer.stop()])
  })

  const records = async (): Promise<unknown> => (await admin.query(`SELECT name FROM ${TABLE}`)).rows

  it.each([
    ['begun', ['BEGIN']],
    ['that has written', ['BEGIN', 'SELECT pg_current_xact_id()']],
    ['with a savepoint', ['BEGIN', 'SAVEPOINT a', 'SAVEPOINT b', 'ROLLBACK TO a']],
    ['that failed', ['BEGIN', 'SELECT 1/0']],
  ])('of a client of pg: %s', async (_, statements) => {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    for (const sql of statements) await client.query(sql).catch(() => {})
    const provider = postgres({ client, table: TABLE })
    for (const verb of verbs(provider)) await expect(verb()).rejects.toThrow(REFUSED)
    await client.query('COMMIT')
    expect(await records()).toEqual([])
    expect(await provider.acquire([ask('later', { lockAtMostFor: 1 })])).toMatchObject([{ granted: true }])
    await client.query(`DELETE FROM ${TABLE}`)
    await client.end()
  })

  it('of a client of pg whose BEGIN is still under way', async () => {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    const provider = postgres({ client, table: TABLE })
    await provider.read([])
    const begun = client.query('BEGIN')
    await expect(provider.acquire([ask('overtaken')])).rejects.toThrow(REFUSED)
    await begun
    await client.query('ROLLBACK')
    expect(await records()).toEqual([])
    await client.end()
  })

  it.each([
    ['a pool', () => server.url],
    ['a pool to a PgBouncer', () => bouncer.url],
  ])('of %s with one leaked BEGIN', async (_, url) => {
    const pool = new pg.Pool({ connectionString: url(), max: 1 })
    const provider = postgres({ pool, table: TABLE })
    await pool.query('BEGIN')
    for (const verb of verbs(provider)) await expect(verb()).rejects.toThrow(REFUSED)
    await pool.query('COMMIT')
    expect(await records()).toEqual([])
    await pool.end()
  })

  it.each(Object.keys(postgresClients))('of a client of %s', async (library) => {
    const { place, run, close } = await (postgresClients[library] as (typeof postgresClients)[string])(server.url, 1)
    const provider = postgres({ ...place, table: TABLE })
    for (const early of [false, true]) {
      if (early) await provider.acquire([ask('before', { lockAtMostFor: 1 })])
      await run('BEGIN')
      for (const verb of verbs(provider)) await expect(verb()).rejects.toThrow(REFUSED)
      await run('COMMIT')
    }
    expect(await records()).toEqual([{ name: 'before' }])
    expect(await provider.acquire([ask('after', { lockAtMostFor: 1 })])).toMatchObject([{ granted: true }])
    await admin.query(`DELETE FROM ${TABLE}`)
    await close()
  })

  it('of a session without a protocol to look at, through a PgBouncer', async () => {
    const pool = new pg.Pool({ connectionString: bouncer.url, max: 1 })
    const provider = postgres({ pool: { query: (text, values) => pool.query(text, values) }, table: TABLE })
    await pool.query('BEGIN')
    for (const verb of verbs(provider)) await expect(verb()).rejects.toThrow(REFUSED)
    await pool.query('ROLLBACK')
    for (let round = 0; round < 10; round++)
      expect(await provider.acquire([ask(`round ${round}`)])).toMatchObject([{ granted: true }])
    await admin.query(`DELETE FROM ${TABLE}`)
    await pool.end()
  })

  it('and not one of its own, whichever of many sessions it is lent', async () => {
    const clients = Array.from({ length: 6 }, () => new pg.Client({ connectionString: server.url }))
    await Promise.all(clients.map((client) => client.connect()))
    let next = 0
    const query = (text: string, values?: unknown[]) =>
      (clients[next++ % clients.length] as pg.Client).query(text, values)
    const provider = postgres({ pool: { query }, table: TABLE })
    for (let round = 0; round < 20; round++)
      expect(await provider.acquire([ask(`round ${round}`)])).toMatchObject([{ granted: true }])
    await admin.query(`DELETE FROM ${TABLE}`)
    await Promise.all(clients.map((client) => client.end()))
  })
})

describe('inside a transaction of PGlite', () => {
  it('postgres refuses each verb', async () => {
    const { place, run, close } = await drizzleOverPglite()
    const provider = postgres(place)
    await provider.setup()
    await run('BEGIN')
    for (const verb of verbs(provider)) await expect(verb()).rejects.toThrow(REFUSED)
    await run('ROLLBACK')
    expect(await provider.acquire([ask('later')])).toMatchObject([{ granted: true }])
    await close()
  }, 120_000)
})
