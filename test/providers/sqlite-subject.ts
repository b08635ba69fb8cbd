/* How the tests meet SQLite: a file of its own, looked into by the driver. */
import { type SqliteDatabase, sqlite } from '../../providers/sqlite/index.ts'
import type { ConformanceSubject, StoredRecord } from '../../src/testing/index.ts'
import { Belongings } from './sqlite-bench.ts'

const LOOK = `
  SELECT locked_by AS lockedBy, locked_at AS lockedAt, lock_until AS lockUntil, fencing_token AS fencingToken,
    last_tick AS lastTick, tick_done AS tickDone, metadata, paused
  FROM ticklock WHERE name = ?`

type Nullable<Type> = { [Key in keyof Type]: Type[Key] | null }

export function sqliteSubject(): ConformanceSubject {
  const own = new Belongings()
  let path: string
  let database: SqliteDatabase
  return {
    name: 'sqlite',
    clock: 'machine',
    async before() {
      path = own.newFile()
      await sqlite(path).setup?.()
      database = await own.database(path)
    },
    after: () => own.clear(),
    connect: () => sqlite(path),
    now: () => Date.now(),
    async look(name) {
      const row = database.prepare(LOOK).get(name) as Nullable<StoredRecord> | undefined
      return (
        row &&
        ({
          ...row,
          lastTick: row.lastTick ?? undefined,
          tickDone: Boolean(row.tickDone),
          metadata: row.metadata ?? undefined,
          paused: Boolean(row.paused),
        } as StoredRecord)
      )
    },
    async lose(name) {
      database.prepare('DELETE FROM ticklock WHERE name = ?').run(name)
    },
    unreachable: () => sqlite(`${path}/no-folder/locks.sqlite`),
    unprepared: (place) => sqlite({ path, table: place }),
    async clientSurvivesClose() {
      const provider = sqlite(database)
      await provider.read()
      await provider.close()
      return database.prepare('SELECT 1 AS one').get() !== undefined
    },
    poisons: 'to be written',
    lockRecord: 'to be written',
    // ShedLock has no statements for SQLite of its own; these are its general ones, with the times as JDBC's SQLite driver binds them.
    async asShedLock(name, lockedForMs) {
      const now = Date.now()
      const insert = database.prepare(
        'INSERT OR IGNORE INTO ticklock (name, lock_until, locked_at, locked_by) VALUES (?, ?, ?, ?)',
      )
      if (insert.run(name, now + lockedForMs, now, 'jvm-host').changes) return true
      const update = database.prepare(
        'UPDATE ticklock SET lock_until = ?, locked_at = ?, locked_by = ? WHERE name = ? AND lock_until <= ?',
      )
      return Number(update.run(now + lockedForMs, now, 'jvm-host', name, now).changes) === 1
    },
  }
}
