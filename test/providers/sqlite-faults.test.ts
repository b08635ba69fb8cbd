/* Files that can't be used, and what their users are told. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { sqlite } from '../../providers/sqlite/index.ts'
import { ask, Belongings } from './sqlite-bench.ts'

const own = new Belongings()
afterEach(() => own.clear())

const NOBODY = 65_534

/** Runs as a user whom the rights of a file bind: root may do everything. */
async function asNobody<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  if (process.geteuid?.() !== 0) return work()
  for (const file of [dirname(path), ...readdirSync(dirname(path)).map((name) => join(dirname(path), name))]) {
    chownSync(file, NOBODY, NOBODY)
  }
  process.seteuid?.(NOBODY)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
  }
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

describe('the files that are made', () => {
  it('are for their owner alone, whatever the umask: database, WAL or journal, shared memory', async () => {
    const umask = process.umask(0)
    own.atEnd(() => process.umask(umask))
    const path = own.newFile()
    const [first, second] = [own.provider(path), own.provider(path)]
    await Promise.all([first.acquire([ask('a')]), second.acquire([ask('b')])])
    const files = readdirSync(dirname(path))
    expect(files).toContain(basename(path))
    expect(files.length).toBeGreaterThan(1) // WAL and shared memory, or a journal of TRUNCATE, which stays.
    for (const file of files) expect([file, modeOf(join(dirname(path), file))]).toEqual([file, '600'])
  })

  it('keep the mode of a database that is there', async () => {
    const path = own.newFile()
    ;(await own.database(path)).exec('CREATE TABLE app (x)')
    chmodSync(path, 0o664)
    await own.provider(path).acquire([ask('job')])
    for (const file of readdirSync(dirname(path)))
      expect([file, modeOf(join(dirname(path), file))]).toEqual([file, '664'])
  })

  it('are made private again when the file was deleted while in use', async () => {
    const path = own.newFile()
    const provider = own.provider(path)
    await provider.acquire([ask('job')])
    const { rmSync } = await import('node:fs')
    for (const file of readdirSync(dirname(path))) rmSync(join(dirname(path), file))
    await provider.acquire([ask('job')])
    expect(modeOf(path)).toBe('600')
  })
})

/** What a call says, and the driver's own error behind it. */
const failing = async (path: string): Promise<unknown> =>
  own
    .provider(path)
    .acquire([ask('job')])
    .then(
      () => 'no error',
      (error: unknown) => error,
    )

const saying = (message: RegExp) => ({
  code: 'STORE',
  message: expect.stringMatching(message),
  cause: expect.any(Error),
})

describe('a file that can not be used is an error that says what to do', () => {
  it('when it may not be written, until it may', async () => {
    const path = own.newFile()
    await sqlite(path).setup?.()
    await asNobody(path, async () => {
      const provider = own.provider(path)
      chmodSync(path, 0o400)
      expect(await provider.acquire([ask('job')]).catch((error: unknown) => error)).toMatchObject(
        saying(/locks\.sqlite may not be written: give the user of this process the right/),
      )
      chmodSync(path, 0o600)
      expect(await provider.acquire([ask('job')])).toMatchObject([{ granted: true }])
      await provider.close()
    })
  })

  it('when its folder may not be written', async () => {
    const path = own.newFile()
    await asNobody(path, async () => {
      chmodSync(dirname(path), 0o500)
      expect(await failing(path)).toMatchObject(saying(/locks\.sqlite can't be opened: .*may write to both/))
      chmodSync(dirname(path), 0o700)
      expect(await failing(path)).toBe('no error')
    })
  })

  it('when it may not be read', async () => {
    const path = own.newFile()
    await sqlite(path).setup?.()
    await asNobody(path, async () => {
      chmodSync(path, 0)
      expect(await failing(path)).toMatchObject(saying(/locks\.sqlite can't be opened/))
    })
  })

  it('when it is a folder', async () => {
    const path = own.newFile()
    mkdirSync(path)
    expect(await failing(path)).toMatchObject(saying(/locks\.sqlite can't be opened: check that it is a file/))
  })

  it('when its folder is a file', async () => {
    const path = own.newFile()
    writeFileSync(path, '')
    expect(await failing(join(path, 'a.sqlite'))).toMatchObject({
      code: 'STORE',
      message: expect.stringMatching(/folder/),
    })
  })

  it('when it is no database', async () => {
    const path = own.newFile()
    const text = 'What stands here is not for a database to overwrite. '.repeat(100)
    writeFileSync(path, text)
    expect(await failing(path)).toMatchObject(saying(/locks\.sqlite is no SQLite database .*another path/))
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  /** Changes the bytes of a file that has a table of locks. */
  async function withBytes(change: (bytes: Buffer) => Buffer): Promise<string> {
    const path = own.newFile()
    const database = await own.database(path)
    await own.provider(database).setup?.()
    writeFileSync(path, change(readFileSync(path)))
    return path
  }

  it('when it is damaged', async () => {
    const path = await withBytes((bytes) => bytes.fill(0xee, 100, 900))
    expect(await failing(path)).toMatchObject(saying(/locks\.sqlite is damaged, or was made by a later SQLite/))
  })

  it('when a later SQLite made its schema', async () => {
    const path = await withBytes((bytes) =>
      Buffer.from(bytes.toString('latin1').replace('STRICT,', 'STRIKT,'), 'latin1'),
    )
    expect(await failing(path)).toMatchObject(saying(/locks\.sqlite is damaged, or was made by a later SQLite/))
  })

  it('when a later SQLite made its format', async () => {
    const path = await withBytes((bytes) => {
      bytes[47] = 9
      return bytes
    })
    expect(await failing(path)).toMatchObject(saying(/locks\.sqlite .*later SQLite/))
  })

  it('when it can not grow, and works again when it can', async () => {
    const path = own.newFile()
    const database = await own.database(path)
    const provider = own.provider(database)
    await provider.setup?.()
    await provider.acquire([ask('held')])
    database.exec('PRAGMA max_page_count = 1')
    const many = Array.from({ length: 500 }, (_, index) => ask(`job-${index}`))
    await expect(provider.acquire(many)).rejects.toMatchObject(
      saying(/the SQLite database can't grow: the disk is full/),
    )
    expect(await provider.acquire([ask('held')])).toMatchObject([{ granted: false, reason: 'held' }])
    database.exec('PRAGMA max_page_count = 10000')
    for (const result of await provider.acquire(many)) expect(result).toMatchObject({ granted: true })
    expect(existsSync(path)).toBe(true)
  })

  it('when a later ticklock made its table with a column that must not be left out', async () => {
    const path = own.newFile()
    const database = await own.database(path)
    await own.provider(database).setup?.()
    database.exec('CREATE TABLE later AS SELECT * FROM ticklock; DROP TABLE ticklock')
    database.exec(
      'CREATE TABLE ticklock (name PRIMARY KEY, lock_until, locked_at, locked_by, fencing_token, last_tick, tick_done, metadata, paused, region TEXT NOT NULL)',
    )
    expect(await own.provider(path).acquire([ask('job')])).toMatchObject([
      saying(/refuses the record of lock "job": NOT NULL constraint failed: ticklock\.region/),
    ])
  })
})
