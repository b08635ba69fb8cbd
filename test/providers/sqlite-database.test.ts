import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import * as photostructure from '@photostructure/sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { type SqliteDatabase, sqlite } from '../../providers/sqlite/index.ts'
import { ask, Belongings } from './sqlite-bench.ts'

const own = new Belongings()
afterEach(() => own.clear())

type Driver = (path: string) => SqliteDatabase

const drivers: Record<string, Driver> = {
  '@photostructure/sqlite': (path) => new photostructure.DatabaseSync(path),
  ...(await others()),
}

/**
 * The drivers that this machine has besides. One file is never opened by two of them here: they are two copies of SQLite, and
 * POSIX locks don't keep copies within one process apart.
 */
async function others(): Promise<Record<string, Driver>> {
  const found: Record<string, Driver> = {}
  const builtIn = process.getBuiltinModule('node:sqlite') as
    | { DatabaseSync: new (path: string) => SqliteDatabase }
    | undefined
  if (builtIn) found['node:sqlite'] = (path) => new builtIn.DatabaseSync(path)
  const name: string = 'better-sqlite3'
  const installed = await import(name).catch(() => undefined)
  if (installed) found[name] = (path) => new installed.default(path, { timeout: 10 })
  return found
}

describe.each(Object.entries(drivers))('a database of %s that the user opened', (_, open) => {
  function opened(path = own.newFile()): { path: string; database: SqliteDatabase } {
    const database = open(path)
    own.atEnd(() => database.close())
    return { path, database }
  }

  it('gets no table by itself: the error says how to make it, by setup or by the statement that it shows', async () => {
    const { database } = opened()
    const provider = own.provider(database)
    const error = await provider.acquire([ask('job')]).catch((error: unknown) => error)
    expect(error).toMatchObject({
      code: 'STORE',
      message: expect.stringMatching(/provider\.setup\(\)/),
      cause: { message: expect.stringMatching(/no such table/) },
    })
    database.exec(String(error).slice(String(error).indexOf('CREATE TABLE')))
    expect(await provider.acquire([ask('job')])).toMatchObject([{ granted: true }])
  })

  it('keeps its settings, and stays open when the provider is closed', async () => {
    const { database } = opened()
    const settings = () =>
      ['busy_timeout', 'journal_mode', 'synchronous', 'foreign_keys'].map((name) =>
        database.prepare(`PRAGMA ${name}`).get(),
      )
    const before = settings()
    const provider = sqlite({ database, table: 'my_locks' })
    await provider.setup?.()
    await provider.acquire([ask('job')])
    await provider.close()
    await provider.close()
    await expect(provider.read()).rejects.toMatchObject({ code: 'STORE', message: expect.stringMatching(/closed/) })
    expect(database.prepare('SELECT name FROM my_locks').all()).toMatchObject([{ name: 'job' }])
    expect(settings()).toEqual(before)
  })

  it('shares its locks with whoever else has the file open', async () => {
    const { path, database } = opened()
    await own.provider(database).setup?.()
    await own.provider(database).acquire([ask('job')])
    expect(await own.provider(opened(path).database).acquire([ask('job'), ask('other')])).toMatchObject([
      { granted: false, reason: 'held' },
      { granted: true },
    ])
  })

  it('is left alone while its owner has a transaction open, and while another connection writes', async () => {
    const { path, database } = opened()
    const provider = own.provider(database)
    await provider.setup?.()
    for (const busy of [database, opened(path).database]) {
      // What node:sqlite before Node.js 22.16 doesn't tell can't be waited for.
      if (busy === database && busy.isTransaction === undefined && busy.inTransaction === undefined) continue
      busy.exec('BEGIN IMMEDIATE')
      let settled = false
      const granted = provider.acquire([ask('job', { lockAtMostFor: 1 })]).finally(() => {
        settled = true
      })
      await setTimeout(100)
      expect(settled).toBe(false)
      busy.exec('COMMIT')
      expect(await granted).toMatchObject([{ granted: true }])
      await setTimeout(2) // The lease of 1 ms is over.
    }
  })

  it('holds a fencing token of the greatest safe integer', async () => {
    const { database } = opened()
    const provider = own.provider(database)
    await provider.setup?.()
    await provider.acquire([ask('job', { lockAtMostFor: 1 })])
    database.exec('UPDATE ticklock SET lock_until = 0, fencing_token = 9007199254740990')
    expect(await provider.acquire([ask('job')])).toMatchObject([{ lease: { fencingToken: 9007199254740991 } }])
  })

  it('whose table refuses one record fails that request alone, and says which column it is', async () => {
    const { database } = opened()
    const provider = own.provider(database)
    await provider.setup?.()
    for (const [column, rule] of [
      ['added_later', "ALTER TABLE ticklock ADD COLUMN added_later TEXT CHECK (name NOT LIKE 'bad%')"],
      [
        'too long',
        "CREATE TRIGGER bound BEFORE INSERT ON ticklock WHEN length(NEW.name) > 20 BEGIN SELECT RAISE(ABORT, 'too long'); END",
      ],
    ] as const) {
      database.exec(rule)
      const names = [`a-${column}`, `bad-and-long-${column}-and-more`, `c-${column}`]
      expect(await provider.acquire(names.map((name) => ask(name, { lockAtMostFor: 1 })))).toMatchObject([
        { granted: true },
        { code: 'STORE', message: expect.stringMatching(/ticklock refuses the record of lock "bad-and-long/) },
        { granted: true },
      ])
    }
  })

  it('whose table has no primary key gets an error that says so', async () => {
    const { database } = opened()
    const provider = own.provider(database)
    await provider.setup?.()
    await provider.acquire([ask('job')])
    database.exec('CREATE TABLE loose AS SELECT * FROM ticklock')
    const loose = own.provider({ database, table: 'loose' })
    expect(await loose.acquire([ask('job')])).toMatchObject([{ granted: false, reason: 'held' }])
    const error = await loose.acquire([ask('other')]).catch((error: unknown) => error)
    expect(error).toMatchObject({
      code: 'STORE',
      message: expect.stringMatching(/loose has no primary key: run CREATE/),
    })
    database.exec(String(error).slice(String(error).indexOf('CREATE UNIQUE INDEX')))
    expect(await loose.acquire([ask('other')])).toMatchObject([{ granted: true }])
  })
})

describe('a table of ShedLock', () => {
  it('gets the missing columns by setup, and keeps what ShedLock wrote', async () => {
    const path = own.newFile()
    const database = await own.database(path)
    database.exec(
      'CREATE TABLE shedlock (name VARCHAR(64) PRIMARY KEY, lock_until TIMESTAMP(3) NOT NULL, locked_at TIMESTAMP(3) NOT NULL, locked_by VARCHAR(255) NOT NULL)',
    )
    const until = Date.now() + 60_000
    database.prepare("INSERT INTO shedlock VALUES ('theirs', ?, ?, 'jvm-host')").run(until, until - 60_000)
    const provider = own.provider({ database, table: 'shedlock' })
    await expect(provider.read()).rejects.toMatchObject({
      message: expect.stringMatching(/lacks the columns fencing_token, last_tick.*setup/),
    })
    await Promise.all([provider.setup?.(), provider.setup?.(), sqlite({ path, table: 'shedlock' }).setup?.()])
    expect(await provider.acquire([ask('theirs'), ask('ours')])).toMatchObject([
      { granted: false, reason: 'held', record: { lockedBy: 'jvm-host', lockUntil: until, fencingToken: 0 } },
      { granted: true },
    ])
  })
})

describe('the statement in the documentation', () => {
  it('makes the same table as setup', async () => {
    const page = readFileSync(new URL('../../docs/providers/sqlite.md', import.meta.url), 'utf8')
    const statement = /^```sql\n(CREATE TABLE .*?)\n```$/ms.exec(page)?.[1] ?? ''
    const [pasted, made] = [await own.database(own.newFile()), await own.database(own.newFile())]
    pasted.exec(statement)
    await own.provider(made).setup?.()
    const schema = 'SELECT sql FROM sqlite_master'
    expect(pasted.prepare(schema).all()).toEqual(made.prepare(schema).all())
  })

  it('repairs a record', async () => {
    const page = readFileSync(new URL('../../docs/providers/sqlite.md', import.meta.url), 'utf8')
    const statement = /^```sql\n(UPDATE .*?)\n```$/ms.exec(page)?.[1] ?? ''
    const database = await own.database(own.newFile())
    const provider = own.provider(database)
    await provider.setup?.()
    const first = ask('nightly-report', { tick: Date.now() - 60_000 })
    await provider.acquire([first])
    database.exec('UPDATE ticklock SET lock_until = 9e15, fencing_token = -1, last_tick = 9e15, paused = 7')
    expect(await provider.acquire([ask('nightly-report')])).toMatchObject([{ code: 'STORE' }])
    database.exec(statement)
    const now = Date.now()
    expect(
      await provider.acquire([
        { ...first, owner: 'other', onCrash: 'rerun' },
        ask('nightly-report', { tick: now + 5 }),
      ]),
    ).toMatchObject([
      { granted: false, reason: 'tick-taken' },
      { granted: true, lease: { fencingToken: expect.any(Number) } },
    ])
  })
})
