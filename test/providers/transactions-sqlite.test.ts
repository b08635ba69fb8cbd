import { describe } from 'vitest'
import { type SqliteDatabase, sqlite } from '../../providers/sqlite/index.ts'
import { Belongings } from './sqlite-bench.ts'
import { type TransactionKit, transactionCases } from './transactions/cases.ts'

describe.each([
  ['that the provider has, too', true],
  ['of the same file', false],
])('a run completes in a transaction on a database %s', (_, isShared) => {
  const own = new Belongings()

  transactionCases(async (): Promise<TransactionKit> => {
    const path = own.newFile()
    const open = async (): Promise<SqliteDatabase> => {
      const database = await own.database(path)
      database.exec('PRAGMA journal_mode = WAL')
      return database
    }
    const database = await open()
    const admin = await open()
    database.exec('CREATE TABLE effects (effect TEXT)')
    return {
      provider: sqlite(isShared ? { database } : path),
      async transaction(work) {
        database.exec('BEGIN IMMEDIATE')
        try {
          const result = await work(database)
          database.exec('COMMIT')
          return result
        } catch (error) {
          database.exec('ROLLBACK')
          throw error
        }
      },
      outside: (work) => work(database),
      write: async (_transaction, effect) => database.prepare('INSERT INTO effects VALUES (?)').run(effect),
      effects: async (effect) =>
        (admin.prepare('SELECT count(*) AS n FROM effects WHERE effect = ?').get(effect) as { n: number }).n,
      expire: async (name) => admin.prepare('UPDATE ticklock SET lock_until = locked_at WHERE name = ?').run(name),
      lose: async (name) => admin.prepare('DELETE FROM ticklock WHERE name = ?').run(name),
      close: async () => own.clear(),
    }
  })
})
