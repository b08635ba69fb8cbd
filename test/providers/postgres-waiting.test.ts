/* Somebody else's transaction stays open: nothing of ours piles up on the server, and the others' jobs go on. */
import createKnex from 'knex'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { type PostgresInput, postgres } from '../../providers/postgres/index.ts'
import { fromKnex } from '../../src/clients/index.ts'
import { RecordBusyError } from '../../src/errors.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import { type PgBouncer, startPgBouncer } from '../servers/pgbouncer.ts'
import { ask } from './postgres-send.ts'

const server = inject('servers').postgres
const TABLE = 'ticklock_waiting'

/** How long each call may take, ms. */
const TIMEOUT = 250

interface Opened {
  readonly input: PostgresInput
  close?(): Promise<unknown>
}

describe.skipIf('unavailable' in server)('while a stranger has locks of the table, postgres', () => {
  if ('unavailable' in server) return
  const stranger = new pg.Client({ connectionString: server.url })
  const watcher = new pg.Client({ connectionString: server.url })
  let bouncer: PgBouncer
  let pid: number

  beforeAll(async () => {
    bouncer = await startPgBouncer(server.url)
    await Promise.all([stranger.connect(), watcher.connect()])
    await watcher.query(`DROP TABLE IF EXISTS ${TABLE}`)
    await postgres({ client: watcher, table: TABLE }).setup()
    pid = (await stranger.query('SELECT pg_backend_pid() AS pid')).rows[0].pid
  })
  beforeEach(async () => {
    await watcher.query(`DELETE FROM ${TABLE}`)
    await watcher.query(
      `INSERT INTO ${TABLE} VALUES ('a', '2000-01-01', '2000-01-01', ''), ('b', '2000-01-01', '2000-01-01', '')`,
    )
  })
  afterEach(async () => {
    await stranger.query('ROLLBACK')
    while ((await waiting()) > 0);
  })
  afterAll(async () => {
    await watcher.query(`DROP TABLE ${TABLE}`)
    await Promise.all([stranger.end(), watcher.end(), bouncer.stop()])
  })

  /** How many sessions wait for the stranger. */
  async function waiting(): Promise<number> {
    const sql =
      'SELECT count(DISTINCT pid)::int AS n FROM pg_locks WHERE NOT granted AND $1 = ANY (pg_blocking_pids(pid))'
    return (await watcher.query(sql, [pid])).rows[0].n
  }

  const ways: Record<string, () => Opened> = {
    'a URL': () => ({ input: { url: server.url, table: TABLE } }),
    'a URL of a PgBouncer': () => ({ input: { url: bouncer.url, table: TABLE } }),
    "a pool of the user's": () => {
      const pool = new pg.Pool({ connectionString: server.url })
      return { input: { pool, table: TABLE }, close: () => pool.end() }
    },
    "a pool of the user's, to a PgBouncer": () => {
      const pool = new pg.Pool({ connectionString: bouncer.url })
      return { input: { pool, table: TABLE }, close: () => pool.end() }
    },
    Knex: () => {
      const knex = createKnex({ client: 'pg', connection: server.url, pool: { min: 0, max: 10 } })
      return { input: { ...fromKnex(knex), table: TABLE }, close: () => knex.destroy() }
    },
  }

  for (const [way, open] of Object.entries(ways))
    describe(`with ${way}`, () => {
      let opened: Opened
      let provider: LockProvider
      beforeAll(async () => {
        opened = open()
        provider = postgres(opened.input)
        await provider.read([]) // Looks at the table's columns, once.
      })
      afterAll(async () => {
        await provider.close()
        await opened.close?.()
      })

      it.each([
        ['a row', ['a'], `UPDATE ${TABLE} SET metadata = 'edited' WHERE name = 'a'`],
        ['each row', ['a', 'b'], `UPDATE ${TABLE} SET metadata = 'edited'`],
        ['a new name', ['new'], `INSERT INTO ${TABLE} VALUES ('new', now(), now(), 'stranger')`],
      ])('goes on, and leaves no session behind: %s', async (_, locked, sql) => {
        await stranger.query('BEGIN')
        await stranger.query(sql)
        for (let round = 0; round < 10; round++) {
          const fresh = `fresh ${round}`
          const requests = [...locked, fresh].map((name) => ask(name))
          const results = await provider.acquire(requests)
          for (const [index, name] of locked.entries()) expect(results[index], name).toBeInstanceOf(RecordBusyError)
          expect(results[locked.length], 'the other of the batch').toMatchObject({ granted: true })
        }
        expect(await waiting()).toBe(0)
      })

      it('whose calls have had their time leaves no session behind: the whole table', async () => {
        await stranger.query('BEGIN')
        await stranger.query(`LOCK TABLE ${TABLE}`)
        for (let round = 0; round < 12; round++) {
          const calls = ['acquire', 'extend', 'release'].map((verb) =>
            (provider[verb as 'release'] as typeof provider.release)([{ ...ask('a'), lockAtLeastFor: 0 }], {
              timeout: TIMEOUT,
            }),
          )
          for (const outcome of await Promise.allSettled(calls)) expect(outcome.status).toBe('rejected')
          expect(await waiting()).toBeLessThanOrEqual(4)
        }
        while ((await waiting()) > 0);
        await stranger.query('ROLLBACK')
        expect(await provider.acquire([ask('a')])).toMatchObject([{ granted: true }])
      })
    })

  it('sends no more over connections that it can not cancel, until what it sent has ended', async () => {
    const pool = new pg.Pool({ connectionString: server.url })
    const provider = postgres({ pool: { query: (text, values) => pool.query(text, values) }, table: TABLE })
    await provider.read([])
    await stranger.query('BEGIN')
    await stranger.query(`LOCK TABLE ${TABLE}`)
    for (let round = 0; round < 20; round++)
      await expect(provider.acquire([ask('a')], { timeout: 20 })).rejects.toThrow()
    await expect(provider.acquire([ask('a')])).rejects.toThrow(/2 earlier statements .* lock the whole table/)
    // Both have been sent, over connections that may be opening still.
    await expect.poll(waiting, { timeout: 20_000 }).toBe(2)
    expect((await pool.query('SELECT 1 AS one')).rows, "the application's own queries").toEqual([{ one: 1 }])
    await stranger.query('ROLLBACK')
    while ((await waiting()) > 0);
    await vi.waitFor(() => provider.read(['a']), { timeout: 20_000 })
    expect(await provider.acquire([ask('afterwards')])).toMatchObject([{ granted: true }])
    await pool.end()
  })
})
