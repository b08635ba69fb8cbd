/*
 * A ledger in the database that keeps the locks. Each run of its job writes one entry in a transaction that completes
 * the run. No constraint keeps a second entry of a tick out: that only `lock.complete` does.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isLockLost, isLockNotHeld, type Lock } from 'ticklock'

export interface Ledger {
  prepare(): Promise<void>
  /** Writes the entry of a tick and completes its run. */
  write(lock: Lock, tick: number): Promise<void>
  /** The ticks of all entries. */
  ticks(): Promise<number[]>
  close(): Promise<unknown>
}

/** How long a transaction may take, in ms. What takes longer is given up: its connection is closed. */
const TIMEOUT = 4_000

/** How often a run tries. */
const ATTEMPTS = 20

/** Undefined for a store without transactions. */
export async function openLedger(kind: string, url: string): Promise<Ledger | undefined> {
  switch (kind) {
    case 'postgres':
      return await inPostgres(url)
    case 'mysql':
    case 'mariadb':
      return await inMysql(url)
    case 'sqlite':
      return await inSqlite(url)
    case 'mongodb':
      return await inMongodb(url)
    default:
      return undefined
  }
}

/**
 * As careful users do: until it is confirmed, or can't be any more. A commit that was not confirmed may have succeeded.
 */
export async function completeInLedger(ledger: Ledger, lock: Lock, tick: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ledger.write(lock, tick)
    } catch (error) {
      if (isLockNotHeld(error)) return // It had.
      if (isLockLost(error) || attempt === ATTEMPTS) throw error
      await sleep(100)
    }
  }
}

async function inPostgres(connectionString: string): Promise<Ledger> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString, max: 2, connectionTimeoutMillis: TIMEOUT })
  pool.on('error', () => {})
  return {
    prepare: async () => void (await pool.query('CREATE TABLE IF NOT EXISTS ledger (tick bigint)')),
    async write(lock, tick) {
      const client = await pool.connect()
      const ignore = (): void => {}
      client.on('error', ignore)
      let isBroken = true
      try {
        await inTime(async () => {
          await client.query('BEGIN')
          await client.query('INSERT INTO ledger VALUES ($1)', [tick])
          await lock.complete(client)
          await client.query('COMMIT')
        })
        isBroken = false
      } finally {
        client.off('error', ignore)
        client.release(isBroken)
      }
    },
    ticks: async () => (await pool.query('SELECT tick FROM ledger')).rows.map(({ tick }) => Number(tick)),
    close: () => pool.end(),
  }
}

async function inMysql(uri: string): Promise<Ledger> {
  const { createPool } = await import('mysql2/promise')
  const pool = createPool({ uri, connectionLimit: 2, connectTimeout: TIMEOUT })
  return {
    prepare: async () => void (await pool.query('CREATE TABLE IF NOT EXISTS ledger (tick BIGINT)')),
    async write(lock, tick) {
      const connection = await inTime(() => pool.getConnection())
      try {
        await inTime(async () => {
          await connection.beginTransaction()
          await connection.query('INSERT INTO ledger VALUES (?)', [tick])
          await lock.complete(connection)
          await connection.commit()
        })
        connection.release()
      } catch (error) {
        connection.destroy()
        throw error
      }
    },
    async ticks() {
      const [rows] = await pool.query('SELECT tick FROM ledger')
      return (rows as { readonly tick: number }[]).map(({ tick }) => Number(tick))
    },
    close: () => pool.end(),
  }
}

async function inSqlite(path: string): Promise<Ledger> {
  const { DatabaseSync } = (process.getBuiltinModule('node:sqlite') ??
    (await import('@photostructure/sqlite'))) as typeof import('@photostructure/sqlite')
  const database = new DatabaseSync(path)
  database.exec('PRAGMA busy_timeout = 500')
  return {
    prepare: async () => void database.exec('CREATE TABLE IF NOT EXISTS ledger (tick INTEGER)'),
    async write(lock, tick) {
      database.exec('BEGIN IMMEDIATE')
      try {
        database.prepare('INSERT INTO ledger VALUES (?)').run(tick)
        await lock.complete(database)
        database.exec('COMMIT')
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
    },
    ticks: async () =>
      (database.prepare('SELECT tick FROM ledger').all() as { tick: number }[]).map(({ tick }) => tick),
    close: async () => database.close(),
  }
}

async function inMongodb(url: string): Promise<Ledger> {
  const { MongoClient } = await import('mongodb')
  const options = { serverSelectionTimeoutMS: TIMEOUT, connectTimeoutMS: TIMEOUT, socketTimeoutMS: TIMEOUT }
  const client = new MongoClient(url, { maxPoolSize: 2, ...options })
  const entries = () => client.db().collection<{ tick: number }>('ledger')
  return {
    prepare: async () => void (await entries().createIndex({ tick: 1 })),
    write: (lock, tick) =>
      client.withSession(async (session) => {
        session.startTransaction({ writeConcern: { w: 'majority' } })
        try {
          await entries().insertOne({ tick }, { session })
          await lock.complete(session)
          await session.commitTransaction()
        } catch (error) {
          await session.abortTransaction().catch(() => {})
          throw error
        }
      }),
    ticks: async () => (await entries().find().toArray()).map(({ tick }) => tick),
    close: () => client.close(),
  }
}

async function inTime<Result>(work: () => Promise<Result>): Promise<Result> {
  const controller = new AbortController()
  const late = sleep(TIMEOUT, undefined, { signal: controller.signal }).then(() => {
    throw new Error('the ledger did not answer in time')
  })
  try {
    return await Promise.race([work(), late])
  } finally {
    controller.abort()
    late.catch(() => {})
  }
}
