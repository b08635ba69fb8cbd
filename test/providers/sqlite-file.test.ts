import { afterEach, describe, expect, it } from 'vitest'
import type { SqliteDatabase } from '../../providers/sqlite/driver.ts'
import { networkFileSystem, refuseNetworkFileSystem } from '../../providers/sqlite/file-system.ts'
import { chooseJournal, mayShareWal } from '../../providers/sqlite/journal-mode.ts'
import { ask, Belongings } from './sqlite-bench.ts'

const own = new Belongings()
afterEach(() => own.clear())

const journalOf = async (path: string): Promise<unknown> =>
  (await own.database(path)).prepare('PRAGMA journal_mode').get()

describe('network file systems', () => {
  it.each([
    [0x6969, 'NFS'],
    [0xff534d42, 'CIFS'],
    [-0xacb2be, 'CIFS'], // the same number with its sign
    [0xfe534d42, 'SMB'],
    [0x01021997, '9p'],
    [0x00c36400, 'Ceph'],
    [0x0bd00bd0, 'Lustre'],
    [0x65735546, 'FUSE'],
  ])('%i is %s', (type, name) => {
    expect(networkFileSystem(type, 'linux')).toBe(name)
  })

  it.each([
    ['ext4', 0xef53],
    ['xfs', 0x58465342],
    ['btrfs', 0x9123683e],
    ['tmpfs', 0x01021994],
    ['overlayfs', 0x794c7630],
    ['zfs', 0x2fc12fc1],
  ])('%s is none', (_, type) => {
    expect(networkFileSystem(type, 'linux')).toBeUndefined()
  })

  it('numbers mean nothing on other platforms', () => {
    expect(networkFileSystem(0x6969, 'darwin')).toBeUndefined()
    expect(networkFileSystem(0x6969, 'win32')).toBeUndefined()
  })

  it.runIf(process.platform === 'linux')('a path on one is refused, with what to do instead', async () => {
    const refused = refuseNetworkFileSystem('/mnt/share/locks.sqlite', async () => ({ type: 0x6969 }))
    await expect(refused).rejects.toMatchObject({
      code: 'STORE',
      message: expect.stringMatching(/\/mnt\/share\/locks.sqlite .*NFS.*local disk/),
    })
  })
})

describe('the journal', () => {
  it.each([
    ['3.47.2', false],
    ['3.51.2', false],
    ['3.51.3', true],
    ['3.53.0', true],
    ['4.0.0', true],
    ['2.99.99', false],
  ])('SQLite %s may share a WAL: %s', (version, may) => {
    expect(mayShareWal(version)).toBe(may)
  })

  it('of a new file is WAL where this SQLite is sound, else TRUNCATE', async () => {
    const path = own.newFile()
    await own.provider(path).acquire([ask('job')])
    const row = (await own.database(path)).prepare('SELECT sqlite_version() AS version').get() as { version: string }
    expect(await journalOf(path)).toEqual({ journal_mode: mayShareWal(row.version) ? 'wal' : 'delete' })
  })

  it("of somebody else's file stays as it is", async () => {
    const path = own.newFile()
    ;(await own.database(path)).exec('CREATE TABLE app (x)')
    expect(await own.provider(path).acquire([ask('job')])).toMatchObject([{ granted: true }])
    expect(await journalOf(path)).toEqual({ journal_mode: 'delete' })
  })

  it('WAL is refused by an SQLite that could corrupt it: at opening, and inside a write when it came later', async () => {
    const path = own.newFile()
    const database = await own.database(path)
    database.exec('CREATE TABLE app (x)')
    const refuseUnsafeWrite = chooseJournal(ofVersion('3.47.2', database), path)
    database.exec('BEGIN IMMEDIATE')
    refuseUnsafeWrite()
    database.exec('COMMIT')

    ;(await own.database(path)).exec('PRAGMA journal_mode = WAL')
    database.exec('BEGIN IMMEDIATE')
    expect(refuseUnsafeWrite).toThrow(/in WAL mode, and SQLite 3\.47\.2 .* can corrupt/)
    database.exec('ROLLBACK')
    expect(() => chooseJournal(ofVersion('3.47.2', database), path)).toThrow(/PRAGMA journal_mode = DELETE/)
  })
})

/** A real database that gives itself out for another version. */
const ofVersion = (version: string, database: SqliteDatabase): SqliteDatabase => ({
  exec: (sql) => database.exec(sql),
  prepare: (sql) => database.prepare(sql.replace('sqlite_version()', `'${version}'`)),
  close: () => database.close(),
})
