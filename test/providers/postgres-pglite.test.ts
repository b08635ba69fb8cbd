import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgres } from '../../providers/postgres/index.ts'
import { conformance } from '../../src/testing/index.ts'
import { lookup, shedLockStatement } from './postgres-subject.ts'

// PGlite runs within this process, as one connection which its nodes share, and reads this process's clock.
let db: PGlite
const TABLE = 'ticklock_conformance'

conformance(
  { describe, it, beforeAll, afterAll },
  {
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
    async asShedLock(name, lockedForMs) {
      return (await db.query(shedLockStatement(TABLE), [name, lockedForMs])).affectedRows === 1
    },
  },
)

describe('postgres on PGlite', () => {
  it('takes PGlite for a single connection, given alone', async () => {
    const own = await PGlite.create()
    const provider = postgres(own)
    await provider.setup()
    expect(await provider.read()).toEqual([])
    await own.close()
  })
})
