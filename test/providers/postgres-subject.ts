/* How the conformance suite meets PostgreSQL, looked into by the tests' own client. */
import pg from 'pg'
import { type PostgresClient, postgres } from '../../providers/postgres/index.ts'
import type { ConformanceSubject, StoredRecord } from '../../src/testing/index.ts'

const UTC_NOW = "clock_timestamp() AT TIME ZONE 'UTC'"
const ms = (column: string): string => `extract(epoch FROM ${column})::float8 * 1000 AS ${column}`

/** A pool whose sessions speak of time in the ways that trip up SQL. */
export const oddPool = (url: string, max = 4): pg.Pool =>
  new pg.Pool({ connectionString: url, max, options: '-c timezone=Asia/Kolkata -c datestyle=SQL,DMY' })

/** An odd pool whose statements are watched: each is reported with its values. */
export function watchedPool(url: string, onQuery: (values: readonly unknown[]) => void, max = 4): pg.Pool {
  const pool = oddPool(url, max)
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown
    Object.assign(client, {
      query: (config: string | { readonly values?: unknown[] }, values?: unknown[], ...rest: unknown[]) => {
        onQuery((typeof config === 'object' ? config.values : values) ?? [])
        return query(config, values, ...rest)
      },
    })
  })
  return pool
}

interface StoredRow {
  readonly locked_by: string
  readonly locked_at: number
  readonly lock_until: number
  readonly fencing_token: string | number
  readonly last_tick: number | null
  readonly tick_done: boolean
  readonly metadata: string | null
  readonly paused: boolean
}

/** A record as it stands in the table. */
export async function lookup(client: PostgresClient, table: string, name: string): Promise<StoredRecord | undefined> {
  const columns = `locked_by, ${ms('locked_at')}, ${ms('lock_until')}, fencing_token, ${ms('last_tick')}, tick_done, metadata, paused`
  const { rows } = await client.query(`SELECT ${columns} FROM ${table} WHERE name = $1`, [name])
  const row = rows[0] as StoredRow | undefined
  return (
    row && {
      lockedBy: row.locked_by,
      lockedAt: row.locked_at,
      lockUntil: row.lock_until,
      fencingToken: Number(row.fencing_token),
      lastTick: row.last_tick ?? undefined,
      tickDone: row.tick_done,
      metadata: row.metadata ?? undefined,
      paused: row.paused,
    }
  )
}

/** ShedLock's own upsert, by the time of the database: changes a row when the lock was obtained. */
export function shedLockStatement(table: string): string {
  const until = `${UTC_NOW} + $2 * interval '1 ms'`
  return `
    INSERT INTO ${table} (name, lock_until, locked_at, locked_by) VALUES ($1, ${until}, ${UTC_NOW}, 'jvm-host')
    ON CONFLICT (name) DO UPDATE SET lock_until = ${until}, locked_at = ${UTC_NOW}, locked_by = 'jvm-host'
    WHERE ${table}.name = $1 AND ${table}.lock_until <= ${UTC_NOW}`
}

/** What makes a record one that no lock can have. `NULL`s first take the constraint from the column. */
export function postgresPoisons(
  client: PostgresClient,
  table: string,
): Record<string, (name: string) => Promise<void>> {
  const set =
    (...columns: readonly string[]) =>
    async (name: string): Promise<void> => {
      for (const column of columns) {
        const [name_] = column.split(' ')
        if (column.endsWith('= NULL')) await client.query(`ALTER TABLE ${table} ALTER COLUMN ${name_} DROP NOT NULL`)
      }
      await client.query(`UPDATE ${table} SET ${columns.join(', ')} WHERE name = $1`, [name])
    }
  return {
    'an end before all time': set("lock_until = '-infinity'"),
    'an end that no Date holds': set("lock_until = '294276-12-31 23:59:59'"),
    'no end': set('lock_until = NULL'),
    'a beginning that no Date holds': set("locked_at = '294276-12-31 23:59:59'"),
    'a beginning at infinity': set("locked_at = 'infinity'"),
    'a beginning before all time': set("locked_at = '-infinity'"),
    'no beginning': set('locked_at = NULL'),
    'no holder': set('locked_by = NULL'),
    'a fencing token out of range': set('fencing_token = 9223372036854775807'),
    'the last fencing token that JavaScript holds': set('fencing_token = 9007199254740991'),
    'a negative fencing token': set('fencing_token = -1'),
    'no fencing token': set('fencing_token = NULL'),
    'a last tick at infinity': set("last_tick = 'infinity'"),
    'a last tick before all time': set("last_tick = '-infinity'"),
    'a last tick that no Date holds': set("last_tick = '294276-12-31'"),
    'nothing about the end of its tick': set('tick_done = NULL'),
    'nothing about a pause': set('paused = NULL'),
    'nothing at all': set(
      'lock_until = NULL',
      'locked_at = NULL',
      'locked_by = NULL',
      'fencing_token = NULL',
      'tick_done = NULL',
      'paused = NULL',
    ),
  }
}

/** @param table the table's name, made by `setup()` unless it is there */
export function postgresSubject(name: string, url: string, table: string): ConformanceSubject {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  const drop = (dropped: string): Promise<unknown> => pool.query(`DROP TABLE IF EXISTS ${dropped}`)
  const pools: pg.Pool[] = []
  const places = new Set<string>()
  const connect = (place: string): ReturnType<typeof postgres> => {
    const own = oddPool(url)
    pools.push(own)
    return postgres({ pool: own, table: place })
  }
  return {
    name,
    clock: 'store',
    connect: () => connect(table),
    async now() {
      const { rows } = await pool.query(`SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now`)
      return rows[0].now
    },
    look: (lock) => lookup(pool, table, lock),
    lose: async (lock) => void (await pool.query(`DELETE FROM ${table} WHERE name = $1`, [lock])),
    unreachable: () => postgres({ url: 'postgres://127.0.0.1:1/nobody' }),
    unprepared(place) {
      places.add(place)
      return connect(place)
    },
    async clientSurvivesClose() {
      await postgres({ pool, table }).close()
      return (await pool.query('SELECT 1')).rows.length === 1
    },
    poisons: postgresPoisons(pool, table),
    unfitNames: ['with a \0', 'half a pair \ud800', 'n'.repeat(256)],
    async lockRecord(lock) {
      const stranger = await pool.connect()
      await stranger.query('BEGIN')
      const { rowCount } = await stranger.query(`UPDATE ${table} SET metadata = 'edited' WHERE name = $1`, [lock])
      if (rowCount === 0) await stranger.query(shedLockStatement(table), [lock, 60_000])
      return async () => {
        await stranger.query('ROLLBACK')
        stranger.release()
      }
    },
    async asShedLock(lock, lockedForMs) {
      return (await pool.query(shedLockStatement(table), [lock, lockedForMs])).rowCount === 1
    },
    async before() {
      for (const place of [table, `${table}_history`, `${table}_nodes`]) await drop(place)
    },
    async after() {
      for (const place of [table, ...places, `${table}_history`, `${table}_nodes`]) await drop(place)
      await Promise.all([...pools, pool].map((each) => each.end()))
    },
  }
}
