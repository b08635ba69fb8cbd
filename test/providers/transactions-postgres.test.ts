import { PrismaPg } from '@prisma/adapter-pg'
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres'
import { drizzle as drizzleJs } from 'drizzle-orm/postgres-js'
import createKnex from 'knex'
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import postgresJs from 'postgres'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { PrismaClient } from '../../examples/adapters/prisma/client.ts'
import { postgres } from '../../providers/postgres/index.ts'
import { queryIn } from '../../src/clients/transaction.ts'
import { isLockLost } from '../../src/errors.ts'
import { Locker } from '../../src/locker/locker.ts'
import { type PgBouncer, startPgBouncer } from '../servers/pgbouncer.ts'
import { oddPool } from './postgres-subject.ts'
import { type TransactionKit, transactionCases } from './transactions/cases.ts'

const server = inject('servers').postgres
const TABLE = 'ticklock_transactions'

type Way = Pick<TransactionKit, 'transaction' | 'outside' | 'close'>

const ofPg = (pool: pg.Pool): Way => ({
  async transaction(work) {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const result = await work(client)
      await client.query('COMMIT')
      return result
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  },
  outside: (work) => work(pool),
  close: () => pool.end(),
})

/** A transaction as users of each library write it. */
const ways: Record<string, (url: string) => Way | Promise<Way>> = {
  'a client of pg': (url) => ofPg(oddPool(url)),
  'postgres.js': (url) => {
    const sql = postgresJs(url, { transform: postgresJs.camel, onnotice: () => {} })
    return {
      transaction: (work) => sql.begin(work) as never,
      outside: (work) => work(sql),
      close: () => sql.end(),
    }
  },
  Knex: (url) => {
    const knex = createKnex({ client: 'pg', connection: url })
    return {
      transaction: (work) => knex.transaction(work),
      outside: (work) => work(knex),
      close: () => knex.destroy(),
    }
  },
  Kysely: (url) => {
    const dialect = new PostgresDialect({ pool: oddPool(url) })
    const db = new Kysely<Record<string, never>>({ dialect, plugins: [new CamelCasePlugin()] })
    return {
      transaction: (work) => db.transaction().execute(work),
      outside: (work) => work(db),
      close: () => db.destroy(),
    }
  },
  'Drizzle over pg': (url) => {
    const pool = oddPool(url)
    const db = drizzlePg(pool)
    return { transaction: (work) => db.transaction(work), outside: (work) => work(pool), close: () => pool.end() }
  },
  'Drizzle over postgres.js': (url) => {
    const sql = postgresJs(url, { onnotice: () => {} })
    const db = drizzleJs(sql)
    return { transaction: (work) => db.transaction(work), outside: (work) => work(sql), close: () => sql.end() }
  },
  'an entity manager of TypeORM': async (url) => {
    const source = await new DataSource({ type: 'postgres', url }).initialize()
    return {
      transaction: (work) => source.transaction(work),
      outside: (work) => work(source.manager),
      close: () => source.destroy(),
    }
  },
  'a query runner of TypeORM': async (url) => {
    const source = await new DataSource({ type: 'postgres', url }).initialize()
    return {
      async transaction(work) {
        const runner = source.createQueryRunner()
        try {
          await runner.startTransaction()
          const result = await work(runner)
          await runner.commitTransaction()
          return result
        } catch (error) {
          await runner.rollbackTransaction()
          throw error
        } finally {
          await runner.release()
        }
      },
      outside: (work) => work(source.manager),
      close: () => source.destroy(),
    }
  },
  Prisma: (url) => {
    const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
    return {
      transaction: (work) => prisma.$transaction((transaction) => work(transaction as object)) as never,
      outside: (work) => work(prisma),
      close: () => prisma.$disconnect(),
    }
  },
}

describe.skipIf('unavailable' in server)('a run completes in a transaction of', () => {
  if ('unavailable' in server) return
  const { url } = server
  const admin = new pg.Pool({ connectionString: url })
  let bouncer: PgBouncer

  beforeAll(async () => {
    bouncer = await startPgBouncer(url)
    await admin.query(`CREATE TABLE IF NOT EXISTS ${TABLE}_effects (effect text)`)
    await postgres({ pool: admin, table: TABLE }).setup()
  })
  afterAll(async () => {
    await admin.query(`DROP TABLE ${TABLE}, ${TABLE}_effects`)
    await bouncer.stop()
    await admin.end()
  })

  const kitOf = async (open: () => Way | Promise<Way>): Promise<TransactionKit> => ({
    ...(await open()),
    provider: postgres({ pool: admin, table: TABLE }),
    write: (transaction, effect) =>
      queryIn(transaction)(`INSERT INTO ${TABLE}_effects VALUES ($1) RETURNING 1`, [effect]),
    effects: async (effect) =>
      (await admin.query(`SELECT count(*)::int AS n FROM ${TABLE}_effects WHERE effect = $1`, [effect])).rows[0].n,
    expire: (name) =>
      admin.query(`UPDATE ${TABLE} SET lock_until = locked_at + interval '1 us' WHERE name = $1`, [name]),
    lose: (name) => admin.query(`DELETE FROM ${TABLE} WHERE name = $1`, [name]),
  })

  for (const [way, open] of Object.entries(ways)) describe(way, () => transactionCases(() => kitOf(() => open(url))))

  describe('a client of pg through PgBouncer', () =>
    transactionCases(() => kitOf(() => ofPg(new pg.Pool({ connectionString: bouncer.url })))))

  describe.each(['REPEATABLE READ', 'SERIALIZABLE'])('a client of pg, %s', (isolation) => {
    it('fails with the error of the server when another takes over, so that it is repeated, and then is lost', async () => {
      const locker = new Locker({ provider: postgres({ pool: admin, table: TABLE }) })
      const tick = new Date(Date.now() - 1_000)
      const name = `in ${isolation}`
      const lock = await locker.obtain(name, { lockAtMostFor: '1m', tick, onCrash: 'rerun' })
      await admin.query(`UPDATE ${TABLE} SET lock_until = locked_at WHERE name = $1`, [name])
      const client = await admin.connect()
      await client.query(`BEGIN ISOLATION LEVEL ${isolation}`)
      await client.query(`SELECT count(*) FROM ${TABLE}_effects`) // The snapshot is of before the takeover.
      await locker.obtain(name, { lockAtMostFor: '1m', tick, onCrash: 'rerun' })
      await expect(lock.complete(client)).rejects.toMatchObject({ code: '40001' })
      await client.query('ROLLBACK')
      await client.query(`BEGIN ISOLATION LEVEL ${isolation}`)
      await expect(lock.complete(client)).rejects.toSatisfy(isLockLost)
      await client.query('ROLLBACK')
      client.release()
    })
  })

  it('and passes on what the server says of a read-only one', async () => {
    const locker = new Locker({ provider: postgres({ pool: admin, table: TABLE }) })
    const lock = await locker.obtain('read-only', '1m')
    const client = await admin.connect()
    await client.query('BEGIN READ ONLY')
    await expect(lock.complete(client)).rejects.toMatchObject({ code: '25006' })
    await client.query('ROLLBACK')
    client.release()
    expect(await lock.ttl()).toBeGreaterThan(0)
    await lock.release()
  })
})
