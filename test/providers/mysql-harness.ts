/* How the tests meet MySQL and MariaDB: looked into by a client of the tests' own. */
import { randomUUID } from 'node:crypto'
import {
  type Connection,
  createConnection,
  createPool,
  type Pool,
  type PoolOptions,
  type ResultSetHeader,
  type RowDataPacket,
} from 'mysql2/promise'
import { inject } from 'vitest'
import { mysql } from '../../providers/mysql/index.ts'
import type { ConformanceSubject, StoredRecord } from '../../src/testing/index.ts'

const NOBODY_LISTENS = 'mysql://root@127.0.0.1:1/test'

/** The servers that are there. */
export const servers = (['mysql', 'mariadb'] as const).flatMap((name) => {
  const server = inject('servers')[name]
  return 'unavailable' in server ? [] : [{ name, url: server.url }]
})

/** What the tests of one file make on a server, and drop in the end. */
export class Belongings {
  readonly url: string
  /** The tests' own client. */
  readonly pool: Pool
  readonly #pools: Pool[] = []
  readonly #connections: Connection[] = []
  readonly #tables: string[] = []

  constructor(url: string) {
    this.url = url
    this.pool = this.newPool()
  }

  /** A table's name that no other test has. */
  newTable(): string {
    const table = newTable()
    this.#tables.push(table)
    return table
  }

  newPool(options: PoolOptions = {}): Pool {
    const pool = createPool({ uri: this.url, connectionLimit: 4, ...options })
    this.#pools.push(pool)
    return pool
  }

  async newConnection(): Promise<Connection> {
    const connection = await createConnection(this.url)
    this.#connections.push(connection)
    return connection
  }

  async clear(): Promise<void> {
    for (const connection of this.#connections) connection.destroy()
    for (const table of this.#tables) await this.pool.query(`DROP TABLE IF EXISTS ${table}`)
    await Promise.all(this.#pools.map((pool) => pool.end()))
  }
}

/** A table's name that no other test has. */
export const newTable = (): string => `locks_${randomUUID().replaceAll('-', '')}`

/** A time as ms since the epoch, whatever time zone the session is in. */
const ms = (time: string): string => `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${time}) / 1000`

/** The server's clock, in ms since the epoch. */
export async function serverNow(pool: Pool): Promise<number> {
  const [rows] = await pool.query<RowDataPacket[]>(`SELECT ${ms('UTC_TIMESTAMP(6)')} AS now`)
  return Number(rows[0]?.now)
}

/** What stands in the table for a name. */
export async function look(pool: Pool, table: string, name: string): Promise<StoredRecord | undefined> {
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT ${ms('lock_until')} AS lock_until, ${ms('locked_at')} AS locked_at, locked_by, fencing_token, last_tick, tick_done, metadata, paused
      FROM ${table} WHERE name = ?`,
    [name],
  )
  const row = rows[0]
  return (
    row && {
      lockUntil: Number(row.lock_until),
      lockedAt: Number(row.locked_at),
      lockedBy: row.locked_by,
      fencingToken: row.fencing_token,
      lastTick: row.last_tick ?? undefined,
      tickDone: row.tick_done === 1,
      metadata: row.metadata ?? undefined,
      paused: row.paused === 1,
    }
  )
}

/** Asks for a lock by the statements that ShedLock sends to MySQL and MariaDB. */
export async function asShedLock(pool: Pool, table: string, name: string, lockedForMs: number): Promise<boolean> {
  const until = 'TIMESTAMPADD(MICROSECOND, ?, UTC_TIMESTAMP(3))'
  const micros = lockedForMs * 1000
  const [inserted] = await pool.query<ResultSetHeader>(
    `INSERT IGNORE INTO ${table}(name, lock_until, locked_at, locked_by) VALUES(?, ${until}, UTC_TIMESTAMP(3), 'jvm-host')`,
    [name, micros],
  )
  if (inserted.affectedRows === 1) return true
  const [updated] = await pool.query<ResultSetHeader>(
    `UPDATE ${table} SET lock_until = ${until}, locked_at = UTC_TIMESTAMP(3), locked_by = 'jvm-host'
      WHERE name = ? AND lock_until <= UTC_TIMESTAMP(3)`,
    [micros, name],
  )
  return updated.affectedRows === 1
}

/** Values that no lock can have, as a console session or another program may write them: no strict mode, and columns without NOT NULL. */
function poisons(pool: Pool, table: string): Readonly<Record<string, (name: string) => Promise<void>>> {
  const set = (assignment: string, nullable?: string) => async (name: string) => {
    const connection = await pool.getConnection()
    try {
      if (nullable) await connection.query(`ALTER TABLE ${table} MODIFY ${nullable} NULL`)
      await connection.query("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
      await connection.query(`UPDATE ${table} SET ${assignment} WHERE name = ?`, [name])
    } finally {
      connection.destroy()
    }
  }
  return {
    'a zero date as the end of the lease': set("lock_until = '0000-00-00'"),
    'a month without a day as the end of the lease': set("lock_until = '2024-02-00'"),
    'a zero date as the time of the grant': set("locked_at = '0000-00-00'"),
    'no end of the lease': set('lock_until = NULL', 'lock_until DATETIME(6)'),
    'no time of the grant': set('locked_at = NULL', 'locked_at DATETIME(6)'),
    'no holder': set('locked_by = NULL', 'locked_by VARCHAR(255) CHARACTER SET utf8mb4'),
    'no fencing token': set('fencing_token = NULL', 'fencing_token BIGINT DEFAULT 0'),
    'a negative fencing token': set('fencing_token = -1'),
    'a fencing token of 2^53 - 1': set('fencing_token = 9007199254740991'),
    'a fencing token of 2^53': set('fencing_token = 9007199254740992'),
    'the largest fencing token that the column holds': set('fencing_token = 9223372036854775807'),
    'the largest last tick that the column holds': set('last_tick = 9223372036854775807'),
    'the least last tick that the column holds': set('last_tick = -9223372036854775808'),
    'no word on whether the tick is done': set('tick_done = NULL', 'tick_done BOOLEAN DEFAULT FALSE'),
  }
}

/** Locks a record in a transaction; where there is none, creates it there. */
async function lockRecord(pool: Pool, table: string, name: string): Promise<() => Promise<void>> {
  const other = await pool.getConnection()
  await other.beginTransaction()
  await other.query(
    `INSERT INTO ${table} (name, lock_until, locked_at, locked_by) VALUES (?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), 'a console')
      ON DUPLICATE KEY UPDATE metadata = 'changed by a stranger'`,
    [name],
  )
  return async () => {
    await other.rollback()
    other.release()
  }
}

/** How the conformance suite meets a server. */
export function mysqlSubject(name: string, url: string, table = newTable()): ConformanceSubject {
  const tables = new Set([table])
  const pool = createPool({ uri: url, connectionLimit: 4 })
  return {
    name,
    clock: 'store',
    connect: () => mysql({ url, table }),
    now: () => serverNow(pool),
    look: (lock) => look(pool, table, lock),
    async lose(lock) {
      await pool.query(`DELETE FROM ${table} WHERE name = ?`, [lock])
    },
    unreachable: () => mysql({ url: NOBODY_LISTENS, table }),
    unprepared(place) {
      tables.add(place)
      return mysql({ url, table: place })
    },
    async clientSurvivesClose() {
      const provider = mysql({ pool, table })
      await provider.read([])
      await provider.close()
      const [rows] = await pool.query<RowDataPacket[]>('SELECT 1 AS one')
      return rows[0]?.one === 1
    },
    poisons: poisons(pool, table),
    unfitNames: ['x'.repeat(256), `half of a pair \ud83d`],
    lockRecord: (lock) => lockRecord(pool, table, lock),
    asShedLock: (lock, lockedForMs) => asShedLock(pool, table, lock, lockedForMs),
    async after() {
      for (const made of [...tables, `${table}_history`, `${table}_nodes`])
        await pool.query(`DROP TABLE IF EXISTS ${made}`)
      await pool.end()
    },
  }
}
