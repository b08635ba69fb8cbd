/* What the provider is given, and connections that break. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket, connect as toServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type PostgresInput, postgres } from '../../providers/postgres/index.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { acquireAll } from '../../src/testing/requests.ts'
import { ask } from './postgres-send.ts'

const server = inject('servers').postgres
const TABLE = 'ticklock_connection'

describe('postgres is given', () => {
  const query = async (): Promise<{ rows: unknown[] }> => ({ rows: [] })

  it.each([
    ['nothing', undefined, /expected a pool, a client, a URL or options/],
    ['no place', { table: 'locks' }, /exactly one of pool, client and url, not none/],
    ['two places', { pool: { query }, url: 'postgres://host/db' }, /not pool and url/],
    ['an unknown option', { url: 'postgres://host/db', tabel: 'locks' }, /unknown option "tabel"/],
    ['a pool that is none', { pool: 'pool' }, /pool must have a method query/],
    ['the URL of another store', 'redis://host', /url must look like/],
    ['no yes or no', { url: 'postgres://host/db', prepare: 'maybe' }, /prepare must be true or false/],
    ['a table that is no name', { url: 'postgres://host/db', table: 'a;b' }, /table must be a name/],
  ])('%s: an error at once', (_, input, message) => {
    expect(() => postgres(input as PostgresInput)).toThrow(message)
    expect(() => postgres(input as PostgresInput)).toThrow(InvalidOptionError)
  })

  it('a wrong URL, and does not repeat it, since it may contain a password', () => {
    expect(() => postgres('mysql://root:secret@host')).toThrow(/^(?!.*secret)/)
  })

  it.each([
    ['a # in the password', 'postgres://app:pa#ss@host/db', /%23/],
    ['a / in the password', 'postgres://app:pa/ss@host/db', /%2F/],
    ['a / after digits', 'postgres://app:12/ss@host/db', /%2F/],
    ['a ? in the password', 'postgres://app:pa?ss@host/db', /%3F/],
    ['a % in the password', 'postgres://app:50%off@host/db', /%25/],
    ['no port', 'postgres://host:port/db', /must look like/],
    ['several hosts', 'postgres://app:secret@one:5432,two:5432/db', /several hosts/],
    ['several hosts without ports', 'postgres://one,two/db', /several hosts/],
    ['several hosts in a parameter', 'postgres:///db?host=one,two', /several hosts/],
    ['target_session_attrs', 'postgres://one/db?target_session_attrs=read-write', /target_session_attrs/],
  ])('a URL with %s: an error at once, that does not repeat it', (_, url, message) => {
    expect(() => postgres(url)).toThrow(message)
    expect(() => postgres(url)).toThrow(InvalidOptionError)
    expect(() => postgres(url)).toThrow(/^(?!.*(pa.ss|secret@|50%off))/)
  })

  it.each([
    'postgres://app:p%23%2F%3F%40%25@host:5432/db?sslmode=require',
    'postgresql://host',
    'postgres:///db?host=/var/run/postgresql',
    'postgres://app@/db?host=/var/run/postgresql',
    'postgres://app:secret@%2Fvar%2Frun%2Fpostgresql/db',
    'postgres://app:secret@[::1]:5432/db',
  ])('a URL that pg understands: %s', (url) => {
    expect(() => postgres(url)).not.toThrow()
  })

  it('a URL, and opens nothing until it is used', async () => {
    const provider = postgres('postgres://user:secret@127.0.0.1:1/nobody')
    await provider.close()
    await expect(provider.read()).rejects.toThrow(/closed/)
  })
})

describe.skipIf('unavailable' in server)('a connection of postgres', () => {
  if ('unavailable' in server) return
  const { url } = server
  const admin = new pg.Client({ connectionString: url })
  beforeAll(async () => {
    await admin.connect()
    await postgres({ client: admin, table: TABLE }).setup()
  })
  afterAll(async () => {
    await admin.query(`DROP TABLE ${TABLE}`)
    await admin.end()
  })

  it('that breaks while it is idle does not end the process, whoever made the pool', async () => {
    const pool = new pg.Pool({ connectionString: url, application_name: 'idle-and-broken' })
    const provider = postgres({ pool, table: TABLE })
    await provider.read([])
    const removed = new Promise((resolve) => pool.once('remove', resolve)) // once() of node:events would listen for errors, too.
    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'idle-and-broken'",
    )
    await removed
    expect(await provider.read([])).toEqual([])
    await pool.end()
  })

  it('of a pool with a listener of its own gets no other', async () => {
    const pool = new pg.Pool({ connectionString: url })
    pool.on('error', () => {})
    postgres({ pool, table: TABLE })
    expect(pool.listenerCount('error')).toBe(1)
    await pool.end()
  })

  it('that is the only one gets one query after another, and an error does not stop the next', async () => {
    let running = 0
    let most = 0
    const query = async (text: string, values?: unknown[]) => {
      most = Math.max(most, ++running)
      try {
        return await admin.query(text, values)
      } finally {
        running--
      }
    }
    const provider = postgres({ client: { query }, table: TABLE })
    const missing = postgres({ client: { query }, table: 'ticklock_missing' })
    await provider.read([]) // Looks at the table's columns, once.
    const many = Array.from({ length: 5 }, (_, index) => acquireAll(provider, [ask(`one by one ${index}`)]))
    await expect(missing.read()).rejects.toThrow(/does not exist/)
    expect((await Promise.all(many)).flat().every(({ granted }) => granted)).toBe(true)

    most = 0
    const nul = provider.acquire([ask('\0')])
    const next = provider.acquire([ask('next')])
    expect(await nul).toEqual([expect.any(Error)])
    expect(await next).toMatchObject([{ granted: true }])
    expect(most).toBe(1)
  })

  describe('that keeps statements under their names', () => {
    const session = (): pg.Pool => new pg.Pool({ connectionString: url, max: 1 })
    const namesIn = async (pool: pg.Pool): Promise<string[]> =>
      (await pool.query("SELECT name FROM pg_prepared_statements WHERE name LIKE 'ticklock%'")).rows.map(
        ({ name }) => name,
      )

    it('has each of them planned once', async () => {
      const pool = session()
      const provider = postgres({ pool, table: TABLE })
      for (let round = 0; round < 3; round++) await provider.acquire([ask('prepared')])
      // The statement that takes locks, and the one that only looks.
      expect(await namesIn(pool)).toHaveLength(2)
      await pool.end()
    })

    it('has none for a large batch, which is planned for its own size', async () => {
      const pool = session()
      const provider = postgres({ pool, table: TABLE })
      const many = Array.from({ length: 101 }, (_, index) => ask(`large ${index}`))
      expect((await acquireAll(provider, many)).every(({ granted }) => granted)).toBe(true)
      expect(await namesIn(pool)).toEqual([])
      await provider.acquire(many.slice(1))
      expect(await namesIn(pool)).toHaveLength(1)
      await pool.end()
    })

    it('and forgets them, as behind a pooler, is sent the text from then on', async () => {
      const pool = session()
      const provider = postgres({ pool, table: TABLE })
      const request = ask('forgotten')
      expect(await provider.acquire([request])).toMatchObject([{ granted: true }])
      await pool.query('DEALLOCATE ALL')
      expect(await provider.acquire([request])).toMatchObject([{ granted: true }])
      expect(await provider.read(['forgotten'])).toHaveLength(1)
      expect(await namesIn(pool)).toEqual([])
      await pool.end()
    })

    it('and has them from somebody else already, is sent the text from then on', async () => {
      const pool = session()
      await postgres({ pool, table: TABLE }).acquire([ask('of another')])
      const [name] = await namesIn(pool)
      const shared = session()
      await shared.query(`PREPARE ${name} AS SELECT 1`)
      expect(await postgres({ pool: shared, table: TABLE }).acquire([ask('of ours')])).toMatchObject([
        { granted: true },
      ])
      await Promise.all([pool.end(), shared.end()])
    })

    it('goes on when the table changes under them', async () => {
      const table = 'ticklock_widened'
      await admin.query(`CREATE TABLE ${table} (name varchar(64) NOT NULL PRIMARY KEY, lock_until timestamp NOT NULL,
        locked_at timestamp NOT NULL, locked_by varchar(64) NOT NULL, fencing_token bigint NOT NULL DEFAULT 0,
        last_tick timestamp(3), tick_done boolean NOT NULL DEFAULT false, metadata text, paused boolean NOT NULL DEFAULT false)`)
      const pool = session()
      const provider = postgres({ pool, table })
      expect(await provider.read(['widened'])).toEqual([])
      await postgres({ client: admin, table }).setup()
      expect(await provider.read(['widened'])).toEqual([])
      await pool.end()
      await admin.query(`DROP TABLE ${table}`)
    })

    it('is not asked to with prepare: false', async () => {
      const pool = session()
      const provider = postgres({ pool, table: TABLE, prepare: false })
      expect(await provider.acquire([ask('unprepared')])).toMatchObject([{ granted: true }])
      expect(await namesIn(pool)).toEqual([])
      await pool.end()
    })
  })

  it('of its own that is silently dead gives an error, and the next call gets a new one', async () => {
    const tunnel = await Tunnel.to(new URL(url))
    const provider = postgres({ url: tunnel.url, table: TABLE })
    expect(await provider.acquire([ask('through the tunnel')])).toMatchObject([{ granted: true }])

    tunnel.swallow()
    const asked = performance.now()
    await expect(provider.read([])).rejects.toThrow(/did not respond within \d+ ms/)
    expect(performance.now() - asked).toBeLessThan(8_000)
    expect(await provider.read(['through the tunnel'])).toHaveLength(1)
    expect(tunnel.accepted, 'the dead one, the request to cancel, and the new one').toBe(3)
    await provider.close()
    await provider.close()
    await tunnel.close()
  })

  it('of a pool that comes late leaves its statement what is left of the time', async () => {
    const tunnel = await Tunnel.to(new URL(url))
    const pool = new pg.Pool({ connectionString: tunnel.url, max: 1 })
    pool.on('error', () => {})
    const provider = postgres({ pool, table: TABLE })
    await provider.acquire([ask('late connection')])
    const taken = await pool.connect()
    const asked = performance.now()
    const failure = provider.acquire([ask('late connection')], { timeout: 2_000 }).then(
      () => 'granted',
      (error: Error) => error.message,
    )
    await setTimeout(500)
    const waited = performance.now() - asked
    tunnel.swallow()
    taken.release()
    const [, left] = (await failure).match(/did not respond within (\d+) ms/) ?? [await failure]
    expect(Number(left)).toBeLessThanOrEqual(Math.ceil(2_000 - waited))
    await tunnel.close()
    await pool.end()
  })

  it('of its own is named, and gone after close', async () => {
    const provider = postgres({ url, table: TABLE })
    const count = async (): Promise<number> => {
      const sql =
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'ticklock' AND query LIKE $1"
      return (await admin.query(sql, [`%${TABLE}%`])).rows[0].n
    }
    await provider.read([])
    expect(await count()).toBe(1)
    await provider.close()
    while ((await count()) > 0);
    await expect(provider.read([])).rejects.toThrow(/closed/)
  })
})

/** A way to a server whose connections can be made to say nothing any more, while they stay open. */
class Tunnel {
  readonly #server: Server
  readonly #target: URL
  readonly #sockets: Socket[] = []
  accepted = 0

  constructor(target: URL) {
    this.#target = target
    this.#server = createServer((near) => {
      this.accepted++
      const far = toServer(Number(target.port), target.hostname)
      near.pipe(far).pipe(near)
      for (const socket of [near, far]) {
        socket.on('error', () => {})
        this.#sockets.push(socket)
      }
    })
  }

  static async to(target: URL): Promise<Tunnel> {
    const tunnel = new Tunnel(target)
    tunnel.#server.listen(0, '127.0.0.1')
    await once(tunnel.#server, 'listening')
    return tunnel
  }

  get url(): string {
    const url = new URL(this.#target)
    url.port = String((this.#server.address() as AddressInfo).port)
    return String(url)
  }

  /** From now on the connections there are carry nothing; new ones do. */
  swallow(): void {
    for (const socket of this.#sockets) socket.unpipe()
    for (const socket of this.#sockets) socket.resume()
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
