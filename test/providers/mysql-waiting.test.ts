/* A write that waits for a row while the row, or the time, changes. The fear: it goes by what it knew before it waited. */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mysql } from '../../providers/mysql/index.ts'
import { acquire, extend, extended, granted, newHolder, refused } from '../../src/testing/asking.ts'
import { Belongings, look, serverNow, servers } from './mysql-harness.ts'
import { lockRow, newSession } from './mysql-waiting.ts'

describe.each(servers)('a write that waits for a row of $name', ({ name: server, url }) => {
  const own = new Belongings(url)
  const { pool } = own
  const table = own.newTable()
  const node = mysql({ pool, table })
  let number = 0
  const newName = (): string => `job ${++number}`

  beforeAll(() => node.setup?.())
  afterAll(() => own.clear())

  const settings = ['TRANSACTION ISOLATION LEVEL READ COMMITTED', 'TRANSACTION ISOLATION LEVEL REPEATABLE READ']
  // Here a statement that waited for a row that changed is given up by the server.
  if (server === 'mariadb') settings.push('innodb_snapshot_isolation = ON')
  it.each(settings)(
    'a grant that waited for the row is decided again when the row changed meanwhile (%s)',
    async (setting) => {
      const name = newName()
      await granted(node, newHolder(name), { lockAtMostFor: 1 })
      await pause(5)
      const { provider, untilWaiting } = await newSession(own, table, setting)
      const other = await lockRow(own, table, name)
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
      const { provider, untilWaiting } = await newSession(own, table, 'innodb_lock_wait_timeout = 50')
      const other = await lockRow(own, table, name)
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
    const { provider, untilWaiting } = await newSession(own, table, 'innodb_lock_wait_timeout = 50')
    const other = await lockRow(own, table, name)
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
    const { provider, untilWaiting } = await newSession(own, table, 'innodb_lock_wait_timeout = 50')
    const other = await lockRow(own, table, name)
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
    const { provider, untilWaiting } = await newSession(own, table, 'innodb_lock_wait_timeout = 1')
    const other = await lockRow(own, table, name)
    const waiting = granted(provider, newHolder(name))
    await untilWaiting()
    await pause(1_200)
    await untilWaiting()
    await other.end()
    await waiting
  })
})
