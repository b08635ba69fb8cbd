/* How the tests meet PGlite: it runs within this process, as one connection which its nodes share, and reads this process's clock. */
import { PGlite } from '@electric-sql/pglite'
import { type PostgresClient, postgres } from '../../providers/postgres/index.ts'
import type { ConformanceSubject } from '../../src/testing/index.ts'
import { lookup, postgresPoisons, shedLockStatement } from './postgres-subject.ts'

const TABLE = 'ticklock_conformance'

export function pgliteSubject(): ConformanceSubject {
  let db: PGlite
  return {
    name: 'postgres on PGlite',
    clock: 'machine',
    async before() {
      db = await PGlite.create()
    },
    after: () => db.close(),
    connect: () => postgres({ client: db, table: TABLE }),
    now: () => Date.now(),
    look: (name) => lookup(db, TABLE, name),
    lose: async (name) => void (await db.query(`DELETE FROM ${TABLE} WHERE name = $1`, [name])),
    unreachable: async () => {
      const closed = await PGlite.create()
      await closed.close()
      return postgres(closed)
    },
    unprepared: (place) => postgres({ client: db, table: place }),
    async clientSurvivesClose() {
      await postgres(db).close()
      return (await db.query('SELECT 1')).rows.length === 1
    },
    get poisons() {
      const late: PostgresClient = { query: (text, values) => db.query(text, values) }
      return postgresPoisons(late, TABLE)
    },
    unfitNames: ['with a \0', 'half a pair \ud800', 'n'.repeat(256)],
    lockRecord: 'PGlite has one connection, so nobody else has a transaction',
    async asShedLock(name, lockedForMs) {
      return (await db.query(shedLockStatement(TABLE), [name, lockedForMs])).affectedRows === 1
    },
  }
}
