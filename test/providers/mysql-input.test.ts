/* What mysql() takes and refuses, without a server. */
import type mysql2 from 'mysql2'
import { createPool } from 'mysql2/promise'
import { describe, expect, it } from 'vitest'
import { type MysqlInput, mysql, mysqlSetup } from '../../providers/mysql/index.ts'

const client = { query: async () => [[]] as [unknown[]] }

describe('the input of mysql()', () => {
  it('may be a client of mysql2, of either kind', async () => {
    const pool = createPool('mysql://root@127.0.0.1:1/test')
    const inputs: MysqlInput[] = [pool, pool.pool, { pool }, { connection: pool }, { pool: pool.pool }]
    for (const input of inputs) await mysql(input).close()
    // The types of connections fit as well; making one would connect.
    const types = (input: mysql2.Connection | mysql2.PoolConnection): MysqlInput => input
    const promises = (input: Awaited<ReturnType<typeof pool.getConnection>>): MysqlInput => ({ connection: input })
    expect([types, promises]).toHaveLength(2)
    await pool.end()
  })

  it.each(['mysql://root:secret@localhost/test', 'mariadb://localhost/test?connectionLimit=3'])(
    'may be a URL: nothing is opened for %s',
    async (url) => {
      const provider = mysql(url)
      await provider.close()
      await provider.close()
      await expect(provider.read()).rejects.toThrow('closed')
    },
  )

  it.each([
    [undefined, 'expected a client, a URL or options'],
    [[], 'expected a client, a URL or options'],
    [{}, 'exactly one of pool, connection and url'],
    [{ pool: client, url: 'mysql://localhost' }, 'not pool and url'],
    [{ pool: client, tabel: 'x' }, 'unknown option "tabel"'],
    [{ pool: {} }, 'pool must be'],
    [{ connection: 5 }, 'connection must be'],
    [{ pool: client, table: 'a`b' }, 'table must be'],
    [{ pool: client, table: 'a.b.c' }, 'table must be'],
    ['postgres://user:secret@localhost/test', 'url must look like'],
    ['mysql:secret', 'url must look like'],
  ])('%o is refused', (input, message) => {
    expect(() => mysql(input as MysqlInput)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
    )
    expect(() => mysql(input as MysqlInput)).not.toThrow('secret')
  })

  it('the statement to paste takes only names', () => {
    expect(mysqlSetup('jobs.locks')).toMatch(/^CREATE TABLE IF NOT EXISTS `jobs`\.`locks`/)
    expect(() => mysqlSetup('x; DROP TABLE y')).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })
})
