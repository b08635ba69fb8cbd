/* How the tests meet SQLite: a file of its own, looked into by the driver. */
import { type SqliteDatabase, sqlite } from '../../providers/sqlite/index.ts'
import type { ConformanceSubject, StoredRecord } from '../../src/testing/index.ts'
import { Belongings } from './sqlite-bench.ts'

const LOOK = `
  SELECT locked_by AS lockedBy, locked_at AS lockedAt, lock_until AS lockUntil, fencing_token AS fencingToken,
    last_tick AS lastTick, tick_done AS tickDone, metadata, paused
  FROM ticklock WHERE name = ?`

type Nullable<Type> = { [Key in keyof Type]: Type[Key] | null }

/** A table whose columns take any value, as somebody's own statement may have made it. */
const LOOSE_TABLE = `
  CREATE TABLE ticklock (name VARCHAR(255) PRIMARY KEY, lock_until TIMESTAMP, locked_at TIMESTAMP, locked_by,
    fencing_token BIGINT DEFAULT 0, last_tick TIMESTAMP, tick_done BOOLEAN DEFAULT 0, metadata, paused BOOLEAN)`

/** Values that no lock can have, as expressions, by column. */
const OUT_OF_RANGE = {
  lock_until: ['9000000000000000', '9223372036854775807', '-9223372036854775808'],
  locked_at: ['-8640000000000001'],
  fencing_token: ['-1', '9007199254740991', '9007199254740992', '9223372036854775807'],
  last_tick: ['9000000000000000', '9223372036854775807'],
  tick_done: ['7'],
  paused: ['-1'],
}
const OF_WRONG_TYPE = {
  lock_until: ['NULL', "'soon'", "'2026-01-01 00:00:00'", "x'00ff'", '9e999'],
  locked_at: ['NULL', "''"],
  locked_by: ['NULL', '7', "x'00'"],
  fencing_token: ['NULL', "'many'", '1.5', '1e30', '-9e999'],
  last_tick: ["'never'", "x''"],
  tick_done: ['NULL', "'yes'"],
  metadata: ['7', "x'00'"],
  paused: ["'no'"],
}

const spoiled = (database: () => SqliteDatabase, values: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(values).flatMap(([column, expressions]) =>
    expressions.map((expression): [string, (name: string) => unknown] => [
      `${column} = ${expression}`,
      (name) => database().prepare(`UPDATE ticklock SET ${column} = ${expression} WHERE name = ?`).run(name),
    ]),
  )

/** `'strict'`: the table is the provider's own. `'loose'`: its columns take any value. */
export function sqliteSubject(kind: 'strict' | 'loose' = 'strict'): ConformanceSubject {
  const own = new Belongings()
  let path: string
  let database: SqliteDatabase
  return {
    name: kind === 'strict' ? 'sqlite' : 'sqlite with a table that takes any value',
    clock: 'machine',
    async before() {
      path = own.newFile()
      database = await own.database(path)
      if (kind === 'loose') database.exec(LOOSE_TABLE)
      await sqlite(path).setup?.()
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
    poisons: Object.fromEntries([
      ...spoiled(() => database, OUT_OF_RANGE),
      ...(kind === 'loose' ? spoiled(() => database, OF_WRONG_TYPE) : []),
    ]),
    lockRecord: 'a transaction of SQLite locks the whole file: see sqlite-busy.test.ts',
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
