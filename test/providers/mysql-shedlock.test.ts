/* A table that ShedLock made: times of type TIMESTAMP, names of 64 characters, another character set, a collation without case. */
import { afterAll, describe, expect, it } from 'vitest'
import { mysql } from '../../providers/mysql/index.ts'
import {
  acquire,
  acquireAll,
  extended,
  granted,
  newHolder,
  refused,
  release,
  toAcquire,
} from '../../src/testing/requests.ts'
import { asShedLock, Belongings, look, serverNow, servers } from './mysql-harness.ts'

describe.each(servers)('a table of ShedLock on $name', ({ url }) => {
  const own = new Belongings(url)
  const { pool } = own
  afterAll(() => own.clear())

  /** As ShedLock's documentation has it. */
  async function shedLockTable(charset = 'latin1'): Promise<string> {
    const table = own.newTable()
    await pool.query(
      `CREATE TABLE ${table}(name VARCHAR(64) NOT NULL, lock_until TIMESTAMP(3) NOT NULL,
        locked_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), locked_by VARCHAR(255) NOT NULL, PRIMARY KEY (name)) CHARACTER SET ${charset}`,
    )
    return table
  }

  async function prepared(charset?: string) {
    const table = await shedLockTable(charset)
    const provider = mysql({ pool, table })
    await provider.setup?.()
    return { table, provider }
  }

  it('gets the missing columns from eight nodes at once, and keeps its locks', async () => {
    const table = await shedLockTable()
    expect(await asShedLock(pool, table, 'old', 60_000)).toBe(true)
    const nodes = Array.from({ length: 8 }, () => mysql({ pool: own.newPool(), table }))
    await expect(nodes[0]?.read()).rejects.toMatchObject({ code: 'STORE', cause: { errno: 1054 } })
    await Promise.all(nodes.map((node) => node.setup?.()))
    for (const node of nodes) {
      expect(await node.read()).toMatchObject([{ name: 'old', lockedBy: 'jvm-host', fencingToken: 0, tickDone: false }])
    }
  })

  it('is not doubled by a table whose name differs by case alone', async () => {
    const table = await shedLockTable()
    const [name, database] = [table.toUpperCase(), new URL(url).pathname.slice(1)]
    for (const other of [name, `${database}.${name}`]) {
      const error = await mysql({ pool, table: other })
        .setup?.()
        .catch((error: unknown) => error)
      expect(error).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining(`"${table}"`) })
    }
  })

  it('gets the missing columns also where some are there', async () => {
    const table = await shedLockTable()
    await pool.query(`ALTER TABLE ${table} ADD COLUMN last_tick BIGINT NULL, ADD COLUMN metadata TEXT NULL`)
    const provider = mysql({ pool, table })
    await provider.setup?.()
    await granted(provider, newHolder('a'), { tick: 1 })
  })

  it('excludes JVM nodes and ours from each other, and tells what it holds to the millisecond', async () => {
    const { table, provider } = await prepared()
    const [name, holder] = ['shared', newHolder('shared')]
    const tick = Math.floor(await serverNow(pool))
    const lease = await granted(provider, holder, { tick, lockAtMostFor: 30_000 })
    expect(await look(pool, table, name)).toMatchObject({ lockedAt: lease.acquiredAt, lockUntil: lease.lockUntil })
    expect(await granted(provider, holder, { tick })).toMatchObject({ ...lease, storeTime: expect.any(Number) })
    expect(await asShedLock(pool, table, name, 1_000)).toBe(false)
    const longer = await extended(provider, holder, { lockAtMostFor: 90_000 })
    expect(await look(pool, table, name)).toMatchObject({ lockUntil: longer.lockUntil })
    // Freed at once, not half a millisecond later when the column rounds.
    for (let round = 0; round < 20; round++) {
      expect(await release(provider, newHolderOf(round, holder, name), { tick })).toBe(true)
      await granted(provider, newHolderOf(round + 1, holder, name))
    }
    expect(await release(provider, newHolderOf(20, holder, name))).toBe(true)
    expect(await asShedLock(pool, table, name, 60_000)).toBe(true)
    const { record } = await refused(provider, newHolder(name), 'held', { tick: tick + 1 })
    expect(record).toMatchObject({ lockedBy: 'jvm-host', lastTick: tick, tickDone: true })
  })

  it('takes names that differ in case only for one lock, as its collation does, also in one batch', async () => {
    const { provider } = await prepared()
    for (const _ of ['no records', 'records that are free']) {
      const holders = ['Job', 'job', 'other', 'JOB'].map(newHolder)
      const answers = await acquireAll(
        provider,
        holders.map((holder) => toAcquire(holder)),
      )
      expect(answers.map((answer) => answer.granted)).toEqual([false, false, true, true])
      expect((await provider.read(['jOB', 'missing'])).map((record) => record.name)).toEqual(['jOB'])
      expect(await provider.release(holders.map((holder) => ({ ...holder, lockAtLeastFor: 0 })))).toEqual(
        answers.map((answer) => answer.granted),
      )
    }
  })

  it('refuses names that it would cut or change, for then two names would be one', async () => {
    const latin = await prepared('latin1')
    await expect(acquire(latin.provider, newHolder('x'.repeat(65)))).rejects.toThrow(/longer than the 64 characters/)
    await expect(acquire(latin.provider, newHolder('日本'))).rejects.toThrow(/character set is latin1/)
    const three = await prepared('utf8mb3')
    await granted(three.provider, newHolder('日本'))
    await expect(acquire(three.provider, newHolder('🚀'))).rejects.toThrow(/character set is utf8/)
    await expect(acquire(three.provider, { ...newHolder('a'), label: '🚀' })).rejects.toThrow(/locked_by/)
    expect((await three.provider.read()).map(({ name }) => name)).toEqual(['日本'])
  })

  it('keeps a lease no shorter than asked for, and a released lock free, where the columns have whole seconds', async () => {
    const { table, provider } = await prepared()
    await pool.query(`ALTER TABLE ${table} MODIFY lock_until DATETIME NOT NULL, MODIFY locked_at DATETIME NOT NULL`)
    const seconds = mysql({ pool, table })
    for (let round = 0; round < 3; round++) {
      const holder = newHolder('a')
      const lease = await granted(seconds, holder, { lockAtMostFor: 500 })
      expect(lease.lockUntil - lease.storeTime).toBeGreaterThanOrEqual(500)
      expect(await look(pool, table, 'a')).toMatchObject({ lockUntil: lease.lockUntil, lockedAt: lease.acquiredAt })
      expect(await release(seconds, holder)).toBe(true)
    }
    await provider.close()
  })

  it('refuses a lease past the end of TIMESTAMP in 2038, which a lenient server would keep as no time at all', async () => {
    const { provider } = await prepared()
    await expect(acquire(provider, newHolder('a'), { lockAtMostFor: 30 * 365 * 86_400_000 })).rejects.toThrow(/2038/)
    expect(await provider.read()).toEqual([])
  })

  it('whose columns have other types is refused, with the type that they should have', async () => {
    const { table } = await prepared()
    const types = { lock_until: 'VARCHAR(40)', fencing_token: 'INT', last_tick: 'DOUBLE', paused: 'VARCHAR(5)' }
    for (const [column, type] of Object.entries(types)) {
      await pool.query(`ALTER TABLE ${table} MODIFY ${column} ${type}`)
      const expected = column === 'lock_until' ? 'DATETIME' : column === 'paused' ? 'TINYINT' : 'BIGINT'
      await expect(mysql({ pool, table }).read()).rejects.toThrow(`${column} must be of type ${expected}`)
      await pool.query(`ALTER TABLE ${table} MODIFY ${column} ${column === 'lock_until' ? 'DATETIME(6)' : expected}`)
    }
  })

  it.each([8, -8])('warns of a lock whose JVM writes its local time, %i hours off', async (hours) => {
    const { table, provider } = await prepared()
    const warnings: (Error & { code?: string })[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    const lock = async (name: string) => {
      await pool.query(
        `REPLACE INTO ${table} (name, lock_until, locked_at, locked_by) VALUES (?, ?, ?, 'jvm-abroad')`.replaceAll(
          ', ?',
          `, UTC_TIMESTAMP(3) + INTERVAL ${hours} HOUR`,
        ),
        [name],
      )
    }
    await lock('abroad')
    await provider.read()
    await lock('abroad')
    await provider.read()
    await new Promise(setImmediate)
    process.off('warning', note)
    expect(warnings.map(({ code }) => code)).toEqual(['TICKLOCK_FOREIGN_CLOCK'])
    expect(warnings[0]?.message).toMatch(/jvm-abroad.*usingDbTime/)
  })

  it('keeps the records that ShedLock made when it is pruned: a JVM never makes them again', async () => {
    const { table, provider } = await prepared()
    const holder = newHolder('ours')
    await granted(provider, holder)
    await release(provider, holder)
    await asShedLock(pool, table, 'theirs', 0)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await provider.prune(1)).toBe(1)
    expect((await provider.read()).map(({ name }) => name)).toEqual(['theirs'])
  })
})

const newHolderOf = (round: number, first: ReturnType<typeof newHolder>, name: string) =>
  round === 0 ? first : { ...newHolder(name), owner: `owner-${round}` }
