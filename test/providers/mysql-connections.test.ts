/* Connections that live on and are of no use: to a server that became read-only, and such as the server has ended. */
import { once } from 'node:events'
import { createConnection as createCallbackConnection } from 'mysql2'
import { createConnection, type Pool } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type MysqlInput, mysql } from '../../providers/mysql/index.ts'
import { acquire, granted, newHolder } from '../../src/testing/requests.ts'
import { Belongings, servers } from './mysql-harness.ts'

describe.each(servers)('connections of $name', ({ url }) => {
  const own = new Belongings(url)
  const { pool } = own
  const table = own.newTable()
  const demoted = `${table}_demoted`
  beforeAll(async () => {
    await mysql({ pool, table }).setup?.()
    await pool.query(`CREATE TABLE ${demoted} (id BIGINT PRIMARY KEY, errno INT)`)
    // The server that this session is connected to refuses to write, as one does after a failover.
    for (const event of ['INSERT', 'UPDATE'])
      await pool.query(`CREATE TRIGGER ${table}_${event} BEFORE ${event} ON ${table} FOR EACH ROW BEGIN
        DECLARE refused INT DEFAULT (SELECT errno FROM ${demoted} WHERE id = CONNECTION_ID());
        IF refused IS NOT NULL THEN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = refused; END IF; END`)
  })
  afterAll(async () => {
    await pool.query(`DROP TABLE ${demoted}`)
    await own.clear()
  })

  /** Makes all sessions of a pool such as refuse to write. */
  async function demote(client: Pool, connections: number, errno: number): Promise<void> {
    const sessions = await Promise.all(Array.from({ length: connections }, () => client.getConnection()))
    for (const session of sessions) {
      if (errno === 1792) await session.query('SET SESSION TRANSACTION READ ONLY')
      else await session.query(`INSERT INTO ${demoted} VALUES (CONNECTION_ID(), ?)`, [errno])
    }
    for (const session of sessions) session.release()
  }

  const wholePool = (client: Pool): MysqlInput => ({ pool: client, table })
  const barePool = (client: Pool): MysqlInput => {
    const bare = { query: client.query.bind(client), getConnection: () => client.getConnection() }
    return { pool: bare, table }
  }

  it.each([1290, 1792, 1836])(
    'are discarded, all that the pool has, after error %i of a read-only server',
    async (errno) => {
      const client = own.newPool({ connectionLimit: 4 })
      const provider = mysql(wholePool(client))
      await Promise.all(Array.from({ length: 4 }, () => provider.read(['warm'])))
      await demote(client, 4, errno)
      for (const name of ['first', 'second']) await granted(provider, newHolder(`${name} ${errno}`))
      const holder = newHolder(`used ${errno}`)
      await granted(provider, holder)
      await demote(client, 4, errno)
      expect(await provider.forceRelease(holder.name)).toBe(true)
    },
  )

  it('are discarded one by one in a pool that has nothing but promises', async () => {
    const client = own.newPool({ connectionLimit: 2 })
    const provider = mysql(barePool(client))
    await demote(client, 2, 1290)
    const errors: unknown[] = []
    for (let tries = 0; tries < 2; tries++)
      await acquire(provider, newHolder('bare')).catch((error: unknown) => errors.push(error))
    await granted(provider, newHolder('bare'))
    expect(errors).toEqual([expect.objectContaining({ errno: 1290 }), expect.objectContaining({ errno: 1290 })])
  })

  it('a call fails when new connections are read-only, too', async () => {
    const client = own.newPool({ connectionLimit: 2 })
    client.on('connection', (connection) => connection.query('SET SESSION TRANSACTION READ ONLY'))
    await expect(acquire(mysql(wholePool(client)), newHolder('read-only'))).rejects.toMatchObject({ errno: 1792 })
  })

  const connections = {
    'with callbacks': async () => {
      const connection = createCallbackConnection(url)
      return { connection, closed: once(connection, 'end'), id: () => connection.threadId }
    },
    'with promises': async () => {
      const connection = await createConnection(url)
      return { connection, closed: once(connection, 'end'), id: () => connection.threadId }
    },
  }
  it.each(Object.keys(connections) as (keyof typeof connections)[])(
    'one %s that the server ends while it is idle fails the next call, and not the process',
    async (kind) => {
      const { connection, closed, id } = await connections[kind]()
      const providers = Array.from({ length: 12 }, () => mysql({ connection, table }))
      for (const provider of providers) await provider.read(['idle'])
      const uncaught: unknown[] = []
      const note = (error: unknown) => uncaught.push(error)
      process.on('uncaughtException', note)
      await pool.query('KILL ?', [id()])
      await closed
      for (const provider of providers) await expect(provider.read(['idle'])).rejects.toThrow()
      process.off('uncaughtException', note)
      expect(uncaught).toEqual([])
    },
  )
})
