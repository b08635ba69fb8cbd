/* What is particular to MySQL and MariaDB: what a statement locks and writes, and how sessions differ. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mysql } from '../../providers/mysql/index.ts'
import {
  acquire,
  extend,
  extended,
  granted,
  newHolder,
  refused,
  release,
  toAcquire,
  toExtend,
} from '../../src/testing/asking.ts'
import { Belongings, look, serverNow, servers } from './mysql-harness.ts'

describe.each(servers)('$name in particular', ({ name: server, url }) => {
  const own = new Belongings(url)
  const { pool } = own
  const table = own.newTable()
  const node = mysql({ pool, table })
  let number = 0
  const newName = (): string => `job ${++number}`

  beforeAll(() => node.setup?.())
  afterAll(() => own.clear())

  /** A connection of another program, inside a transaction that has locked the record of a name. */
  async function lockRow(name: string): Promise<Connection> {
    const other = await createConnection(url)
    await other.beginTransaction()
    await other.query(`SELECT * FROM ${table} WHERE name = ? FOR UPDATE`, [name])
    return other
  }

  /** A session with these settings, and a way to wait until it waits for a row. */
  async function session(settings: string) {
    const waiter = own.newPool({ connectionLimit: 1 })
    await waiter.query(`SET SESSION ${settings}`)
    const [ids] = await waiter.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id')
    const untilWaiting = async (): Promise<void> => {
      const waits =
        "SELECT 1 FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = ? AND trx_state = 'LOCK WAIT'"
      for (;;) {
        const [rows] = await pool.query<RowDataPacket[]>(waits, [ids[0]?.id])
        if (rows.length > 0) return
        // The view is made anew only when nobody has read it for a tenth of a second.
        await pause(150)
      }
    }
    return { provider: mysql({ pool: waiter, table }), untilWaiting }
  }

  it('refuses without a write and without the lock of a row', async () => {
    const name = newName()
    const holder = newHolder(name)
    const tick = Math.floor(await serverNow(pool))
    await granted(node, holder, { tick })
    // This session fails at every write, and waits for no row.
    const { provider: reader } = await session('TRANSACTION READ ONLY')
    const other = await lockRow(name)
    await refused(reader, newHolder(name), 'held', { tick: tick + 1 })
    await refused(reader, newHolder(name), 'tick-taken', { tick })
    await refused(reader, newHolder(name), 'clock-ahead', { tick: tick + 3_600_000 })
    await granted(reader, holder, { tick })
    expect(await extend(reader, newHolder(name))).toBeUndefined()
    expect(await release(reader, newHolder(name))).toBe(false)
    await expect(acquire(reader, newHolder(newName()))).rejects.toMatchObject({ errno: 1792 })
    other.destroy()
  })

  const settings = ['TRANSACTION ISOLATION LEVEL READ COMMITTED', 'TRANSACTION ISOLATION LEVEL REPEATABLE READ']
  // Here a statement that waited for a row that changed is given up by the server.
  if (server === 'mariadb') settings.push('innodb_snapshot_isolation = ON')
  it.each(settings)(
    'a grant that waited for the row is decided again when the row changed meanwhile (%s)',
    async (setting) => {
      const name = newName()
      await granted(node, newHolder(name), { lockAtMostFor: 1 })
      await pause(5)
      const { provider, untilWaiting } = await session(setting)
      const other = await lockRow(name)
      const waiting = acquire(provider, newHolder(name))
      await untilWaiting()
      // As a JVM does it: neither token nor tick tell of it.
      await other.query(
        `UPDATE ${table} SET lock_until = UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE, locked_by = 'jvm' WHERE name = ?`,
        [name],
      )
      await other.commit()
      await other.end()
      expect(await waiting).toMatchObject({ granted: false, reason: 'held', record: { lockedBy: 'jvm' } })
    },
  )

  const changes = {
    'another extension': [`lock_until = lock_until + INTERVAL 1 HOUR`, { lockUntil: 3_600_000 }],
    'a new token': ['fencing_token = fencing_token + 1', { fencingToken: 1 }],
  } as const
  it.each(Object.keys(changes) as (keyof typeof changes)[])(
    'an extension that waited for the row takes nothing back: %s',
    async (kind) => {
      const [change, by] = changes[kind]
      const name = newName()
      const holder = newHolder(name)
      const first = await granted(node, holder)
      const { provider, untilWaiting } = await session('innodb_lock_wait_timeout = 50')
      const other = await lockRow(name)
      const waiting = extended(provider, holder, { lockAtMostFor: 1_000 })
      await untilWaiting()
      await other.query(`UPDATE ${table} SET ${change} WHERE name = ?`, [name])
      await other.commit()
      await other.end()
      const last = { ...first, ...(await waiting), storeTime: 0 }
      for (const [field, more] of Object.entries(by)) {
        expect(last).toMatchObject({ [field]: first[field as keyof typeof by & keyof typeof first] + more })
      }
      expect(await look(pool, table, name)).toMatchObject({
        lockUntil: last.lockUntil,
        fencingToken: last.fencingToken,
      })
    },
  )

  it('an extension that waited for the row does not undo a release', async () => {
    const name = newName()
    const holder = newHolder(name)
    await granted(node, holder)
    const { provider, untilWaiting } = await session('innodb_lock_wait_timeout = 50')
    const other = await lockRow(name)
    const waiting = extend(provider, holder)
    await untilWaiting()
    // With lockAtLeastFor the end of the lease may stay as it is.
    await other.query(`UPDATE ${table} SET locked_by = CONCAT(locked_by, '#released') WHERE name = ?`, [name])
    await other.commit()
    await other.end()
    expect(await waiting).toBeUndefined()
    expect((await look(pool, table, name))?.lockedBy).toMatch(/#released$/)
  })

  it('an extension that is held up on its way until its lease is over is not given', async () => {
    const name = newName()
    const holder = newHolder(name)
    const { lockUntil } = await granted(node, holder, { lockAtMostFor: 400 })
    const slow = {
      async query(sql: string, values: (Buffer | number)[]) {
        while (sql.startsWith('UPDATE') && (await serverNow(pool)) <= lockUntil) await pause(10)
        return pool.query(sql, values)
      },
    }
    expect(await extend(mysql({ pool: slow, table }), holder)).toBeUndefined()
    expect(await look(pool, table, name)).toMatchObject({ lockUntil })
  })

  it('an extension that waited for the row until its lease was over is given, since nobody had the lock in between', async () => {
    const name = newName()
    const holder = newHolder(name)
    const first = await granted(node, holder, { lockAtMostFor: 1_000 })
    const { provider, untilWaiting } = await session('innodb_lock_wait_timeout = 50')
    const other = await lockRow(name)
    const waiting = extended(provider, holder)
    await untilWaiting()
    while ((await serverNow(pool)) <= first.lockUntil) await pause(20)
    await other.end()
    expect((await waiting).fencingToken).toBe(first.fencingToken)
    await refused(node, newHolder(name), 'held')
  })

  it('a statement that waited too long for a row is sent again', async () => {
    const name = newName()
    await granted(node, newHolder(name), { lockAtMostFor: 1 })
    await pause(5)
    const { provider, untilWaiting } = await session('innodb_lock_wait_timeout = 1')
    const other = await lockRow(name)
    const waiting = granted(provider, newHolder(name))
    await untilWaiting()
    await pause(1_200)
    await untilWaiting()
    await other.end()
    await waiting
  })

  it('batches in opposite orders never deadlock: not even one that is tried again', async () => {
    const holders = Array.from({ length: 40 }, newName).map(newHolder)
    await node.acquire(holders.map((holder) => toAcquire(holder)))
    const errors: unknown[] = []
    const nodes = [0, 1, 2, 3].map((index) => {
      const client = own.newPool({ connectionLimit: 1 })
      const watched = {
        query: (sql: string, values: (Buffer | number)[]) =>
          client.query(sql, values).catch((error) => {
            errors.push(error)
            throw error
          }),
      }
      return { provider: mysql({ pool: watched, table }), batch: index % 2 ? holders : holders.toReversed() }
    })
    for (let round = 0; round < 25; round++) {
      const answers = nodes.map(({ provider, batch }) => provider.extend(batch.map((holder) => toExtend(holder))))
      for (const leases of await Promise.all(answers)) expect(leases.every((lease) => lease !== undefined)).toBe(true)
    }
    expect(errors).toEqual([])
  })

  it('a write locks no row but its own, in a table of few', async () => {
    const small = own.newTable()
    const provider = mysql({ pool: own.newPool(), table: small })
    await provider.setup?.()
    const [held, free] = [newHolder('a'), newHolder('b')]
    await provider.acquire([toAcquire(held), toAcquire(free)])
    const other = await createConnection(url)
    await other.beginTransaction()
    await other.query(`SELECT * FROM ${small} WHERE name = 'a' FOR UPDATE`)
    await extended(provider, free)
    expect(await release(provider, free)).toBe(true)
    await granted(provider, newHolder('b'))
    other.destroy()
  })

  it('sessions in different time zones see one time', async () => {
    const name = newName()
    const zones = ['+13:00', '-11:00', 'SYSTEM', '+00:00']
    const nodes = await Promise.all(zones.map((zone) => session(`time_zone = '${zone}'`)))
    for (const { provider: holding } of nodes) {
      const holder = newHolder(name)
      const lease = await granted(holding, holder)
      expect(await look(pool, table, name)).toMatchObject({ lockedAt: lease.acquiredAt, lockUntil: lease.lockUntil })
      for (const { provider: asking } of nodes) {
        const { record } = await refused(asking, newHolder(name), 'held')
        expect(record).toMatchObject({ lockedAt: lease.acquiredAt, lockUntil: lease.lockUntil })
      }
      expect(await release(holding, holder)).toBe(true)
    }
  })

  it('refuses to keep locks inside of a transaction, or with autocommit off', async () => {
    const connection = await createConnection(url)
    const provider = mysql({ connection, table })
    await connection.beginTransaction()
    const name = newName()
    await expect(acquire(provider, newHolder(name))).rejects.toThrow(/inside a transaction/)
    await connection.rollback()
    expect(await look(pool, table, name)).toBeUndefined()
    await connection.query('SET autocommit = 0')
    await granted(node, newHolder(name))
    await expect(acquire(provider, newHolder(name))).rejects.toThrow(/autocommit/)
    await connection.end()
  })
})
