/* What happens between the reading of a record and its writing. The fear: a write goes by what is not true any more. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Connection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mysql } from '../../providers/mysql/index.ts'
import { acquire, extend, extended, granted, newHolder, refused, release, SKEW_MS } from '../../src/testing/requests.ts'
import { Belongings, look, serverNow, servers } from './mysql-harness.ts'
import { disturbedBy, running, withSettings } from './mysql-sessions.ts'

describe.each(servers)('a decision on $name', ({ name: server, url }) => {
  const own = new Belongings(url)
  const { pool } = own
  const table = own.newTable()
  const node = mysql({ pool, table })
  let number = 0
  const newName = (): string => `job ${++number}`

  beforeAll(() => node.setup?.())
  afterAll(() => own.clear())

  const set = (name: string, assignment: string) =>
    pool.query(`UPDATE ${table} SET ${assignment} WHERE name = ?`, [name])

  /** A lock that was granted, and is free. */
  async function freed(options?: Parameters<typeof granted>[2]): Promise<string> {
    const holder = newHolder(newName())
    await granted(node, holder, options)
    await release(node, holder, options?.tick === undefined ? {} : { tick: options.tick })
    return holder.name
  }

  it('of a grant is made anew when a JVM took the lock meanwhile', async () => {
    const name = await freed()
    // Neither token nor tick tell of it.
    const taken = () => set(name, "lock_until = UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE, locked_by = 'jvm'")
    const { record } = await refused(disturbedBy(own, table, taken), newHolder(name), 'held')
    expect(record).toMatchObject({ lockedBy: 'jvm' })
  })

  it('of an extension takes back neither a longer one nor a new token', async () => {
    const changes = { lockUntil: 'lock_until = lock_until + INTERVAL 1 HOUR', fencingToken: 'fencing_token = 5' }
    for (const [field, change] of Object.entries(changes)) {
      const holder = newHolder(newName())
      await granted(node, holder)
      const provider = disturbedBy(own, table, () => set(holder.name, change))
      await extended(provider, holder, { lockAtMostFor: 90_000 })
      const now = await look(pool, table, holder.name)
      if (field === 'fencingToken') expect(now).toMatchObject({ fencingToken: 5 })
      else expect((now?.lockUntil ?? 0) - (await serverNow(pool))).toBeGreaterThan(3_600_000)
    }
  })

  it('of an extension does not undo a release', async () => {
    const holder = newHolder(newName())
    await granted(node, holder)
    // With lockAtLeastFor the end of the lease may stay as it is.
    const provider = disturbedBy(own, table, () => set(holder.name, "locked_by = CONCAT(locked_by, '#released')"))
    expect(await extend(provider, holder)).toBeUndefined()
    expect((await look(pool, table, holder.name))?.lockedBy).toMatch(/#released$/)
  })

  it('of an extension comes to nothing when the lease ended meanwhile', async () => {
    const holder = newHolder(newName())
    const { lockUntil } = await granted(node, holder, { lockAtMostFor: 400 })
    const lapses = async () => {
      while ((await serverNow(pool)) <= lockUntil) await pause(10)
    }
    expect(await extend(disturbedBy(own, table, lapses), holder)).toBeUndefined()
    expect(await look(pool, table, holder.name)).toMatchObject({ lockUntil })
  })

  it('of a rerun is made anew when the run has said meanwhile that it ended', async () => {
    const late = newHolder(newName())
    const tick = Math.floor(await serverNow(pool)) - 1_000
    await granted(node, late, { tick, lockAtMostFor: 1 })
    while (((await look(pool, table, late.name))?.lockUntil ?? 0) >= (await serverNow(pool))) await pause(5)
    const ends = async () => expect(await release(node, late, { tick })).toBe(false)
    await refused(disturbedBy(own, table, ends), newHolder(late.name), 'tick-taken', { tick, onCrash: 'rerun' })
  })

  it('of a grant without a tick does not bring back a last tick that was reset', async () => {
    const ahead = Math.floor(await serverNow(pool)) + 3_600_000
    const name = await freed({ tick: ahead, maxClockSkew: 7_200_000 })
    const resets = () => node.reset({ name, maxClockSkew: SKEW_MS })
    await granted(disturbedBy(own, table, resets), newHolder(name))
    expect((await look(pool, table, name))?.lastTick).toBeLessThan(ahead)
  })

  // A setting that MySQL doesn't have.
  if (server === 'mariadb')
    it('is made where a session fails at rows that changed meanwhile', async () => {
      const provider = await withSettings(own, table, 'innodb_snapshot_isolation = ON')
      const names = await Promise.all(Array.from({ length: 5 }, () => freed()))
      for (const name of names) {
        const [first, second] = await Promise.all([acquire(provider, newHolder(name)), acquire(node, newHolder(name))])
        expect([first.granted, second.granted].sort()).toEqual([false, true])
      }
    })

  it('is by a clock that was read after the record: what ended a lease lies before it', async () => {
    const tick = Math.floor(await serverNow(pool)) - 1_000
    const reads = {
      'a grant': (name: string) => granted(node, newHolder(name)),
      'a refusal': (name: string) => refused(node, newHolder(name), 'tick-taken', { tick }),
      'a batch': async (name: string) => {
        const [record] = await node.read([name, newName()])
        return record as NonNullable<typeof record>
      },
    }
    for (const [title, read] of Object.entries(reads)) {
      const holder = newHolder(newName())
      await granted(node, holder, { tick })
      const other = await own.newConnection()
      await other.query(`LOCK TABLES ${table} WRITE`)
      const reading = read(holder.name)
      // The statement has begun by now, and has not read the record.
      while ((await running(own, table)).length === 0) await pause(5)
      await other.query(`UPDATE ${table} SET lock_until = UTC_TIMESTAMP(6) WHERE name = ?`, [holder.name])
      const { lockUntil } = (await lookUnder(other, holder.name)) ?? { lockUntil: Number.NaN }
      await other.query('UNLOCK TABLES')
      await other.end()
      expect((await reading).storeTime, title).toBeGreaterThanOrEqual(lockUntil)
    }
  })

  /** As the session sees it that has the table locked. */
  async function lookUnder(session: Connection, name: string) {
    return await look(session as unknown as typeof pool, table, name)
  }
})
