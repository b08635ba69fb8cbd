/* Rows and tables that somebody else has locked: nothing waits for them on the server, and no job but their own. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mysql } from '../../providers/mysql/index.ts'
import { isRecordBusy } from '../../src/errors.ts'
import type { Settled } from '../../src/provider/contract.ts'
import type { HistoryEntry, RunHistory } from '../../src/provider/history.ts'
import { granted, newHolder, release, toAcquire } from '../../src/testing/requests.ts'
import { Belongings, look, servers } from './mysql-harness.ts'
import { lockRow, running } from './mysql-sessions.ts'

/** The settings of a session that bound how long its statements wait. */
const SETTINGS = '@@SESSION.innodb_lock_wait_timeout AS a, @@SESSION.lock_wait_timeout AS b, @@SESSION.sql_mode AS c'

const outcomes = (results: readonly Settled<{ readonly granted: boolean }>[]): unknown[] =>
  results.map((result) => (isRecordBusy(result) ? 'busy' : result instanceof Error ? result : result.granted))

describe.each(servers)('what another session of $name has locked', ({ url }) => {
  const own = new Belongings(url)
  const { pool } = own
  const table = own.newTable()
  const node = mysql({ pool, table })
  let number = 0
  const newName = (): string => `job ${++number}`
  const someRequests = (names: readonly string[]) => names.map((name) => toAcquire(newHolder(name)))

  beforeAll(() => node.setup?.())
  afterAll(() => own.clear())

  /** Names that are free, with a record. */
  async function freed(count: number): Promise<string[]> {
    const holders = Array.from({ length: count }, () => newHolder(newName()))
    for (const holder of holders) {
      await granted(node, holder)
      await release(node, holder)
    }
    return holders.map(({ name }) => name)
  }

  it('an open UPDATE: each free job beside it runs', async () => {
    const names = await freed(5)
    const other = await lockRow(own, table, names[2] as string)
    expect(outcomes(await node.acquire(someRequests(names)))).toEqual([true, true, 'busy', true, true])
    await other.end()
  })

  it('an open INSERT of a new name: each new job beside it runs', async () => {
    const names = Array.from({ length: 40 }, newName)
    const other = await own.newConnection()
    await other.beginTransaction()
    const insert = `INSERT INTO ${table} (name, lock_until, locked_at, locked_by) VALUES (?, NOW(), NOW(), 'a console')`
    for (const index of [3, 30]) await other.query(insert, [names[index]])
    const results = outcomes(await node.acquire(someRequests(names)))
    expect(results).toEqual(names.map((_, index) => (index === 3 || index === 30 ? 'busy' : true)))
    await other.end()
  })

  it('history, as another node does that writes or trims: a write waits for it', async () => {
    const history = node.history as Required<RunHistory>
    await history.setup()
    const entry: HistoryEntry = {
      id: randomUUID(),
      job: 'history',
      node: 'a',
      kind: 'schedule',
      outcome: 'succeeded',
      scheduledAt: 1,
      at: 1,
      duration: 1,
    }
    const other = await own.newConnection()
    await other.beginTransaction()
    await other.query(`DELETE FROM ${table}_history`) // Locks every gap.
    const written = history.write([entry]).then(() => 'written')
    // It has been sent, and waits.
    while ((await running(own, table)).length === 0) await pause(5)
    await other.rollback()
    expect(await written).toBe('written')
    expect(await history.read({ job: 'history', limit: 2 })).toHaveLength(1)
    await other.end()
  })

  it('a gap: jobs that are there run, new ones elsewhere too, and new ones in it are busy', async () => {
    const gapTable = own.newTable()
    const provider = mysql({ pool, table: gapTable })
    await provider.setup?.()
    for (const name of ['a', 'f', 'k', 'p']) {
      const holder = newHolder(name)
      await granted(provider, holder)
      await release(provider, holder)
    }
    const other = await lockRow(own, gapTable, 'h')
    const results = outcomes(await provider.acquire(someRequests(['a', 'g', 'm'])))
    expect(results).toEqual([true, 'busy', true])
    expect(await running(own, gapTable)).toEqual([])
    await other.end()
    expect(outcomes(await provider.acquire(someRequests(['g'])))).toEqual([true])
  })

  it('all rows, by a transaction that is never ended: the pool stays free, and nothing is left on the server', async () => {
    const names = await freed(3)
    const small = own.newPool({ connectionLimit: 2 })
    const provider = mysql({ pool: small, table })
    await provider.read([])
    const other = await own.newConnection()
    await other.beginTransaction()
    await other.query(`UPDATE ${table} SET metadata = 'everywhere'`)
    const calls = Array.from({ length: 20 }, () => provider.acquire(someRequests(names), { timeout: 1_000 }))
    for (const results of await Promise.all(calls)) expect(outcomes(results)).toEqual(['busy', 'busy', 'busy'])
    expect((await small.query('SELECT 1 AS one'))[0]).toEqual([{ one: 1 }])
    expect(await running(own, table)).toEqual([])
    await expect(provider.forceRelease(names[0] as string)).resolves.toBe(false)
    expect(await provider.prune(60_000)).toBe(0)
    await other.end()
  })

  it.each(['READ', 'WRITE'])(
    'the table, by LOCK TABLES … %s: no statement waits longer than its caller',
    async (kind) => {
      const name = (await freed(1))[0] as string
      const other = await own.newConnection()
      await other.query(`LOCK TABLES ${table} ${kind}`)
      const from = performance.now()
      for (const names of [[name], [newName()]]) {
        const results = await node.acquire(someRequests(names), { timeout: 900 }).catch((error: unknown) => error)
        if (Array.isArray(results)) expect(outcomes(results)).toEqual(['busy'])
        else expect(results).toBeInstanceOf(Error)
        // The server ended it by itself: the session goes on.
        expect(await running(own, table)).toEqual([])
      }
      expect(performance.now() - from).toBeLessThan(20_000)
      await other.query('UNLOCK TABLES')
      await other.end()
      await granted(node, newHolder(name))
    },
  )

  it('leaves the sessions of its user as they were, also after a failure', async () => {
    const single = own.newPool({ connectionLimit: 1 })
    const settings = async () => (await single.query<RowDataPacket[]>(`SELECT CONNECTION_ID(), ${SETTINGS}`))[0]
    await single.query('SET SESSION innodb_lock_wait_timeout = 17, lock_wait_timeout = 18')
    const before = await settings()
    const provider = mysql({ pool: single, table })
    await provider.setup?.()
    await granted(provider, newHolder(newName()))
    expect(await settings()).toEqual(before)
    const name = newName()
    const other = await lockRow(own, table, name)
    expect(outcomes(await provider.acquire(someRequests([name])))).toEqual(['busy'])
    await other.end()
    expect(await settings()).toEqual(before)
    const connection = await own.newConnection()
    const onConnection = mysql({ connection, table })
    const [was] = await connection.query(`SELECT ${SETTINGS}`)
    await granted(onConnection, newHolder(newName()))
    expect((await connection.query(`SELECT ${SETTINGS}`))[0]).toEqual(was)
  })

  it('a record is decided as soon as the other session has ended', async () => {
    const name = (await freed(1))[0] as string
    const other = await lockRow(own, table, name)
    const forced = node.setPaused?.({ name, paused: true })
    await other.end()
    expect(await forced).toBe(true)
    expect(await look(pool, table, name)).toMatchObject({ paused: true })
  })
})
