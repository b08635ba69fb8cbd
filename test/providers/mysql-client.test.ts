/* Clients and sessions of every kind: what they do to values on their way must not matter. */
import { createPool as createCallbackPool } from 'mysql2'
import { createConnection, type PoolOptions } from 'mysql2/promise'
import { afterAll, describe, expect, it } from 'vitest'
import { mysql, mysqlSetup } from '../../providers/mysql/index.ts'
import {
  acquire,
  acquireAll,
  granted,
  newHolder,
  readAll,
  refused,
  release,
  toAcquire,
} from '../../src/testing/requests.ts'
import { Belongings, look, serverNow, servers } from './mysql-harness.ts'

const ODD_NAMES = [
  "it's",
  '"quoted"',
  "back\\slash \\' \\",
  'ünï 🚀',
  'trailing ',
  'trailing',
  'Case',
  'case',
  '%_`#--',
  'a\tb',
]

/** Options of a pool that change how values come and go. */
const CLIENTS: Readonly<Record<string, PoolOptions>> = {
  'rows as arrays': { rowsAsArray: true },
  'big numbers as strings': { supportBigNumbers: true, bigNumberStrings: true, dateStrings: true },
  'values as bytes': { typeCast: false },
  'values as strings': { typeCast: (field) => field.string() },
  'named placeholders': { namedPlaceholders: true },
  'changed rows counted': { flags: ['-FOUND_ROWS'] },
  'latin1 connection': { charset: 'latin1_swedish_ci' },
  'another time zone': { timezone: '+07:00' },
}

const MODES = ['ANSI', 'NO_BACKSLASH_ESCAPES', 'TRADITIONAL', '', 'PAD_CHAR_TO_FULL_LENGTH,HIGH_NOT_PRECEDENCE']

describe.each(servers)('clients of $name', ({ name: server, url }) => {
  const own = new Belongings(url)
  const { pool } = own
  afterAll(() => own.clear())

  /** Goes through the verbs with names that are hard to write down. */
  async function exercise(provider: ReturnType<typeof mysql>, table: string): Promise<void> {
    await provider.setup?.()
    const tick = Math.floor(await serverNow(pool))
    const holders = ODD_NAMES.map((name) => ({ ...newHolder(name), label: name }))
    for (const [index, answer] of (
      await provider.acquire(holders.map((holder) => toAcquire(holder, { tick, metadata: holder.name })))
    ).entries()) {
      const { name } = holders[index] as (typeof holders)[number]
      expect(answer).toMatchObject({ granted: true, lease: { name } })
      expect(await look(pool, table, name)).toMatchObject({ lastTick: tick, tickDone: false, metadata: name })
      const { record } = await refused(provider, newHolder(name), 'held', { tick: tick + 1 })
      expect(record).toMatchObject({
        name,
        metadata: name,
        lockedBy: `${name}#${holders[index]?.owner}`,
        lastTick: tick,
      })
    }
    expect((await provider.read()).map(({ name }) => name)).toEqual([...ODD_NAMES].sort())
    const releases = holders.map((holder) => ({ ...holder, lockAtLeastFor: 0, tick }))
    expect(await provider.release(releases)).toEqual(ODD_NAMES.map(() => true))
    expect((await readAll(provider)).every(({ tickDone }) => tickDone)).toBe(true)
    expect(await provider.forceRelease("it's")).toBe(false)
  }

  it.each(Object.keys(CLIENTS))('%s', async (kind) => {
    const table = own.newTable()
    await exercise(mysql({ pool: own.newPool(CLIENTS[kind]), table }), table)
  })

  it.each(server === 'mariadb' ? [...MODES, 'SIMULTANEOUS_ASSIGNMENT'] : MODES)('sql_mode %j', async (mode) => {
    const table = own.newTable()
    const connection = await createConnection(url)
    await connection.query('SET SESSION sql_mode = ?', [mode])
    await exercise(mysql({ connection, table }), table)
    await connection.end()
  })

  it('a pool with callbacks is taken, too, and left open', async () => {
    const table = own.newTable()
    const callbacks = createCallbackPool(url)
    const provider = mysql({ pool: callbacks, table })
    await exercise(provider, table)
    await provider.close()
    await callbacks.promise().query('SELECT 1')
    await callbacks.promise().end()
  })

  it('a table in another database is made and used there', async () => {
    const { pathname } = new URL(url)
    const connection = await createConnection(String(new URL('/information_schema', url)))
    const table = own.newTable()
    const provider = mysql({ connection, table: `${pathname.slice(1)}.${table}` })
    await exercise(provider, table)
    await connection.end()
  })

  it('a missing table is an error that says what to do, and the provider works when it is done', async () => {
    const table = own.newTable()
    const provider = mysql({ pool, table })
    for (const call of [() => acquire(provider, newHolder('a')), () => provider.read(), () => provider.prune(1)]) {
      const error = await call().then(undefined, (error: Error) => error)
      expect(error).toMatchObject({ code: 'STORE', cause: { errno: 1146 } })
      expect(String(error)).toContain('provider.setup()')
      expect(String(error)).toContain(mysqlSetup(table))
    }
    await pool.query(mysqlSetup(table))
    await granted(provider, newHolder('a'))
    await pool.query(`DROP TABLE ${table}`)
    await expect(acquire(provider, newHolder('a'))).rejects.toMatchObject({ code: 'STORE', cause: { errno: 1146 } })
    await provider.setup?.()
    await granted(provider, newHolder('a'))
  })

  it('an error of the server keeps the statement, but not the thousands of values in it', async () => {
    const table = own.newTable()
    const connection = await createConnection(url)
    const provider = mysql({ connection, table })
    await provider.setup?.()
    await connection.query('SET SESSION TRANSACTION READ ONLY')
    const requests = Array.from({ length: 1_000 }, (_, index) => toAcquire(newHolder(`job ${index}`)))
    const error: unknown = await provider.acquire(requests).catch((error: unknown) => error)
    expect(error).toMatchObject({ errno: 1792, sql: expect.stringContaining('CONVERT(?') })
    expect(JSON.stringify(error).length).toBeLessThan(5_000)
    await connection.end()
  })

  it('the statement to paste makes the table that setup() makes', async () => {
    const [pasted, made] = [own.newTable(), own.newTable()]
    await pool.query(mysqlSetup(pasted))
    await mysql({ pool, table: made }).setup?.()
    const definition = async (table: string): Promise<string> => {
      const [rows] = await pool.query(`SHOW CREATE TABLE ${table}`)
      return JSON.stringify(rows).replaceAll(table, '')
    }
    expect(await definition(pasted)).toBe(await definition(made))
    expect(await definition(made)).toMatch(/utf8mb4_(0900|nopad)_bin/)
  })

  it('setup changes nothing where all is there, and then needs no right to', async () => {
    const table = own.newTable()
    await mysql({ pool, table }).setup?.()
    const connection = await createConnection(url)
    await connection.query('SET SESSION TRANSACTION READ ONLY')
    await mysql({ connection, table }).setup?.()
    await connection.end()
  })

  it('a batch that is too large for one statement is sent in several', async () => {
    const table = own.newTable()
    let statements: string[] = []
    const counting = {
      query(sql: string, values: (Buffer | number)[]) {
        statements.push(/(SELECT|INSERT|UPDATE) \/\*\+/.exec(sql)?.[1] ?? sql)
        return pool.query(sql, values)
      },
    }
    const provider = mysql({ pool: counting, table })
    await provider.setup?.()
    await provider.read([])
    const holders = Array.from({ length: 100 }, (_, index) => newHolder(`job ${index}`))
    statements = []
    const metadata = '🚀'.repeat(10_000)
    const answers = await acquireAll(
      provider,
      holders.map((holder) => toAcquire(holder, { metadata })),
    )
    expect(answers.every(({ granted }) => granted)).toBe(true)
    // The records are read, and 4 MB are written, on MySQL after a look at each part.
    const part = server === 'mysql' ? ['SELECT', 'INSERT'] : ['INSERT']
    expect(statements).toEqual(['SELECT', ...Array.from({ length: 5 }, () => part).flat()])
    expect(await release(provider, holders[99] as (typeof holders)[number])).toBe(true)
  })
})
