/* Faults of one record, or of all of a table, by the store's own client: what somebody with a console may do. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LockProvider } from 'ticklock'
import { openStore } from '../node/open-store.ts'
import { machineTime } from '../witness-file.ts'
import type { StoreUnderChaos } from './store.ts'

type Faults = StoreUnderChaos['faults']

/** A connection to the store. Whatever fails on it, as the server may be down just then, is no fault of the run. */
interface Stranger {
  run(statement: string, ...values: readonly unknown[]): Promise<unknown>
  close(): Promise<unknown>
}

/** A repair is tried for so long, in ms: the store may be down when it is due. */
const REPAIRED_WITHIN = 30_000

/** A fencing token that no lock can have. The lease of the record stays as it is, so its holder may go on. */
const NO_TOKEN = -1

/** The faults that the records of this kind of store can have. */
export function recordFaults(kind: string, url: string): Faults {
  switch (kind) {
    case 'postgres':
      return sqlFaults(
        () => toPostgres(url),
        '$1',
        () => openProvider(kind, url),
      )
    case 'mysql':
    case 'mariadb':
      return sqlFaults(
        () => toMysql(url),
        '?',
        () => openProvider(kind, url),
      )
    case 'mongodb':
      return {
        'record-poisoned': (_, job) =>
          poisoned(
            () => poisonDocument(url, job),
            () => openProvider(kind, url),
            job,
          ),
      }
    case 'sqlite':
      return {
        'record-poisoned': (_, job) =>
          poisoned(
            () => poisonFile(url, job),
            () => openProvider(kind, url),
            job,
          ),
      }
    default:
      // A value of Redis is the whole record: a repair would free a lock whose holder goes on.
      return {}
  }
}

function sqlFaults(connect: () => Promise<Stranger>, value: string, open: () => Promise<LockProvider>): Faults {
  const poison = async (job: string): Promise<void> => {
    const stranger = await connect()
    await stranger.run(`UPDATE ticklock SET fencing_token = ${NO_TOKEN} WHERE name = ${value}`, job)
    await stranger.close()
  }
  return {
    'row-locked': (_, job) => locked(connect, `SELECT name FROM ticklock WHERE name = ${value} FOR UPDATE`, job),
    'table-locked': () => locked(connect, 'SELECT name FROM ticklock FOR UPDATE'),
    'record-poisoned': (_, job) => poisoned(() => poison(job), open, job),
  }
}

async function locked(
  connect: () => Promise<Stranger>,
  statement: string,
  ...values: readonly unknown[]
): Promise<() => Promise<unknown>> {
  try {
    const stranger = await connect()
    await stranger.run('BEGIN')
    await stranger.run(statement, ...values)
    return () =>
      stranger
        .run('ROLLBACK')
        .then(() => stranger.close())
        .catch(() => {})
  } catch {
    return async () => {}
  }
}

async function poisoned(
  poison: () => Promise<void>,
  open: () => Promise<LockProvider>,
  name: string,
): Promise<() => Promise<void>> {
  await poison().catch(() => {})
  return async () => {
    const until = performance.now() + REPAIRED_WITHIN
    for (;;) {
      try {
        const provider = await open()
        await provider.reset({ name, maxClockSkew: 60_000 })
        await provider.close()
        return
      } catch (error) {
        if (performance.now() > until) throw error
        await sleep(200)
      }
    }
  }
}

async function toPostgres(url: string): Promise<Stranger> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, query_timeout: 5_000 })
  client.on('error', () => {})
  await client.connect()
  return { run: (statement, ...values) => client.query(statement, [...values]), close: () => client.end() }
}

async function toMysql(url: string): Promise<Stranger> {
  const { createConnection } = await import('mysql2/promise')
  const connection = await createConnection({ uri: url, connectTimeout: 5_000 })
  connection.on('error', () => {})
  return {
    run: (sql, ...values) => connection.query({ sql, values: [...values], timeout: 5_000 }),
    close: async () => connection.destroy(),
  }
}

async function poisonDocument(url: string, job: string): Promise<void> {
  const { MongoClient } = await import('mongodb')
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000, socketTimeoutMS: 5_000 })
  const locks = client.db().collection<{ _id: string; fencingToken: number }>('ticklock')
  await locks.updateOne({ _id: job }, { $set: { fencingToken: NO_TOKEN } })
  await client.close()
}

async function poisonFile(path: string, job: string): Promise<void> {
  const { openDatabase } = await import('../../../providers/sqlite/driver.ts')
  const database = await openDatabase(path)
  database.exec('PRAGMA busy_timeout = 5000')
  database.prepare('UPDATE ticklock SET fencing_token = ? WHERE name = ?').run(NO_TOKEN, job)
  database.close()
}

/** The provider of a process whose clock is right. */
const openProvider = async (kind: string, url: string): Promise<LockProvider> =>
  (await openStore({ kind, url, ownClient: false, epoch: Date.now() - machineTime() })).provider
