import { drizzle } from 'drizzle-orm/mysql2'
import createKnex from 'knex'
import { CamelCasePlugin, Kysely, MysqlDialect } from 'kysely'
import { createPool as createCallbackPool, type PoolConnection } from 'mysql2'
import { createPool } from 'mysql2/promise'
import { DataSource } from 'typeorm'
import { describe, expect, it } from 'vitest'
import { mysql } from '../../providers/mysql/index.ts'
import { queryIn } from '../../src/clients/transaction.ts'
import { Locker } from '../../src/locker/locker.ts'
import { newTable, servers } from './mysql-harness.ts'
import { type TransactionKit, transactionCases } from './transactions/cases.ts'

type Way = Pick<TransactionKit, 'transaction' | 'outside' | 'close'>

/** A transaction as users of each library write it. */
const ways: Record<string, (url: string) => Way | Promise<Way>> = {
  'a connection of mysql2': (url) => {
    const pool = createPool({ uri: url, connectionLimit: 4, flags: ['-FOUND_ROWS'] })
    return {
      async transaction(work) {
        const connection = await pool.getConnection()
        try {
          await connection.beginTransaction()
          const result = await work(connection)
          await connection.commit()
          return result
        } catch (error) {
          await connection.rollback()
          throw error
        } finally {
          connection.release()
        }
      },
      outside: (work) => work(pool),
      close: () => pool.end(),
    }
  },
  'a connection of mysql2 with callbacks, autocommit off': (url) => {
    const pool = createCallbackPool({ uri: url, connectionLimit: 4 })
    const connect = (): Promise<PoolConnection> =>
      new Promise((resolve, reject) => {
        pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection)))
      })
    return {
      async transaction(work) {
        const connection = await connect()
        const run = (sql: string) => connection.promise().query(sql)
        await run('SET autocommit = 0')
        try {
          const result = await work(connection)
          await run('COMMIT')
          return result
        } catch (error) {
          await run('ROLLBACK')
          throw error
        } finally {
          await run('SET autocommit = 1')
          connection.release()
        }
      },
      outside: (work) => work(pool),
      close: () => pool.promise().end(),
    }
  },
  Knex: (url) => {
    const knex = createKnex({ client: 'mysql2', connection: url })
    return {
      transaction: (work) => knex.transaction(work),
      outside: (work) => work(knex),
      close: () => knex.destroy(),
    }
  },
  Kysely: (url) => {
    const dialect = new MysqlDialect({ pool: createCallbackPool({ uri: url, connectionLimit: 4 }) })
    const db = new Kysely<Record<string, never>>({ dialect, plugins: [new CamelCasePlugin()] })
    return {
      transaction: (work) => db.transaction().execute(work),
      outside: (work) => work(db),
      close: () => db.destroy(),
    }
  },
  Drizzle: (url) => {
    const pool = createPool({ uri: url, connectionLimit: 4 })
    const db = drizzle({ client: pool })
    return { transaction: (work) => db.transaction(work), outside: (work) => work(pool), close: () => pool.end() }
  },
  TypeORM: async (url) => {
    const source = await new DataSource({ type: 'mysql', url }).initialize()
    return {
      transaction: (work) => source.transaction(work),
      outside: (work) => work(source.manager),
      close: () => source.destroy(),
    }
  },
}

describe.each(servers)('a run completes on $name in a transaction of', ({ name: server, url }) => {
  const kitOf = async (open: Way | Promise<Way>): Promise<TransactionKit> => {
    const way = await open
    const table = newTable()
    const admin = createPool({ uri: url, connectionLimit: 4 })
    await admin.query(`CREATE TABLE ${table}_effects (effect VARCHAR(200))`)
    return {
      ...way,
      provider: mysql({ pool: admin, table }),
      write: (transaction, effect) => queryIn(transaction)(`INSERT INTO ${table}_effects VALUES (?)`, [effect]),
      async effects(effect) {
        const [rows] = await admin.query(`SELECT COUNT(*) AS n FROM ${table}_effects WHERE effect = ?`, [effect])
        return Number((rows as { n: unknown }[])[0]?.n)
      },
      expire: (name) =>
        admin.query(`UPDATE ${table} SET lock_until = locked_at + INTERVAL 1 MICROSECOND WHERE name = ?`, [name]),
      lose: (name) => admin.query(`DELETE FROM ${table} WHERE name = ?`, [name]),
      async close() {
        await way.close()
        await admin.query(`DROP TABLE ${table}, ${table}_effects`)
        await admin.end()
      },
    }
  }

  // The servers differ in what they do, the libraries don't.
  const tried = server === 'mariadb' ? ways : { mysql2: ways['a connection of mysql2'] as (url: string) => Way }
  for (const [library, open] of Object.entries(tried)) describe(library, () => transactionCases(() => kitOf(open(url))))

  it('and passes on what the server says of a read-only one', async () => {
    const table = newTable()
    const pool = createPool({ uri: url, connectionLimit: 4 })
    const provider = mysql({ pool, table })
    await provider.setup?.()
    const lock = await new Locker({ provider }).obtain('read-only', '1m')
    const connection = await pool.getConnection()
    await connection.query('START TRANSACTION READ ONLY')
    await expect(lock.complete(connection)).rejects.toMatchObject({ errno: 1792 })
    await connection.rollback()
    connection.release()
    expect(await lock.ttl()).toBeGreaterThan(0)
    await pool.query(`DROP TABLE ${table}`)
    await pool.end()
  })
})
