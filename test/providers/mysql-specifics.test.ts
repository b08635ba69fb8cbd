/* What is particular to MySQL and MariaDB: what a statement locks and writes, and how sessions differ. */
import { createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mysql } from '../../providers/mysql/index.ts'
import {
  acquire,
  extend,
  extendAll,
  extended,
  granted,
  newHolder,
  refused,
  release,
  toAcquire,
  toExtend,
  toRelease,
} from '../../src/testing/requests.ts'
import { Belongings, look, serverNow, servers } from './mysql-harness.ts'
import { isWrite, lockRow, withSettings } from './mysql-sessions.ts'

describe.each(servers)('$name in particular', ({ url }) => {
  const own = new Belongings(url)
  const { pool } = own
  const table = own.newTable()
  const node = mysql({ pool, table })
  let number = 0
  const newName = (): string => `job ${++number}`

  beforeAll(() => node.setup?.())
  afterAll(() => own.clear())

  it('refuses without a write and without the lock of a row', async () => {
    const name = newName()
    const holder = newHolder(name)
    const tick = Math.floor(await serverNow(pool))
    await granted(node, holder, { tick })
    // This session fails at every write, and waits for no row.
    const reader = await withSettings(own, table, 'TRANSACTION READ ONLY')
    const other = await lockRow(own, table, name)
    await refused(reader, newHolder(name), 'held', { tick: tick + 1 })
    await refused(reader, newHolder(name), 'tick-taken', { tick })
    await refused(reader, newHolder(name), 'clock-ahead', { tick: tick + 3_600_000 })
    await granted(reader, holder, { tick })
    expect(await extend(reader, newHolder(name))).toBeUndefined()
    expect(await release(reader, newHolder(name))).toBe(false)
    await expect(acquire(reader, newHolder(newName()))).rejects.toMatchObject({ errno: 1792 })
    other.destroy()
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
      const answers = nodes.map(({ provider, batch }) =>
        extendAll(
          provider,
          batch.map((holder) => toExtend(holder)),
        ),
      )
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
    const nodes = await Promise.all(zones.map((zone) => withSettings(own, table, `time_zone = '${zone}'`)))
    for (const holding of nodes) {
      const holder = newHolder(name)
      const lease = await granted(holding, holder)
      expect(await look(pool, table, name)).toMatchObject({ lockedAt: lease.acquiredAt, lockUntil: lease.lockUntil })
      for (const asking of nodes) {
        const { record } = await refused(asking, newHolder(name), 'held')
        expect(record).toMatchObject({ lockedAt: lease.acquiredAt, lockUntil: lease.lockUntil })
      }
      expect(await release(holding, holder)).toBe(true)
    }
  })

  it('tells a release in a batch that was made, though another of the batch met a change and the lock is taken at once by another', async () => {
    const [changed, retaken] = [newHolder(newName()), newHolder(newName())]
    for (const holder of [changed, retaken]) await granted(node, holder)
    let updates = 0
    const disturbed = mysql({
      pool: {
        async query(sql, values) {
          const isFirstUpdate = isWrite(sql) && updates++ === 0
          if (isFirstUpdate) await node.forceRelease(changed.name)
          const answer = await pool.query(sql, values)
          if (isFirstUpdate) await granted(node, newHolder(retaken.name))
          return answer
        },
      },
      table,
    })
    expect(await disturbed.release([toRelease(changed), toRelease(retaken)])).toEqual([false, true])
    expect(updates).toBe(1)
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
