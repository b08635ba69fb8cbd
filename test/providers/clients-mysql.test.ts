import { drizzle } from 'drizzle-orm/mysql2'
import createKnex from 'knex'
import { CamelCasePlugin, Kysely, MysqlDialect } from 'kysely'
import { createPool as createCallbackPool } from 'mysql2'
import { createPool } from 'mysql2/promise'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import { mysql } from '../../providers/mysql/index.ts'
import { fromDrizzle, fromKnex, fromKysely, fromTypeOrm, type SqlPlace } from '../../src/clients/index.ts'
import { conformance } from '../../src/testing/index.ts'
import { runnerFor } from './clients-runner.ts'
import { mysqlSubject, newTable } from './mysql-harness.ts'

const server = inject('servers').mariadb

interface Opened {
  readonly place: SqlPlace
  ask(): PromiseLike<unknown>
  close(): Promise<unknown>
}

const clients: Readonly<Record<string, (url: string) => Opened | Promise<Opened>>> = {
  Knex: (url) => {
    const knex = createKnex({ client: 'mysql2', connection: url, pool: { min: 0, max: 4 } })
    return { place: fromKnex(knex), ask: () => knex.raw('SELECT ?', [1]), close: () => knex.destroy() }
  },
  'Kysely with a plugin that renames columns': (url) => {
    const dialect = new MysqlDialect({ pool: createCallbackPool({ uri: url, connectionLimit: 4 }) })
    const db = new Kysely<Record<string, never>>({ dialect, plugins: [new CamelCasePlugin()] })
    return { place: fromKysely(db), ask: () => db.introspection.getSchemas(), close: () => db.destroy() }
  },
  'Drizzle over mysql2': (url) => {
    const pool = createPool({ uri: url, connectionLimit: 4 })
    const db = drizzle({ client: pool })
    return { place: fromDrizzle(db), ask: () => db.execute('SELECT 1'), close: () => pool.end() }
  },
  TypeORM: async (url) => {
    const source = await new DataSource({ type: 'mysql', url, poolSize: 4 }).initialize()
    return { place: fromTypeOrm(source), ask: () => source.query('SELECT 1'), close: () => source.destroy() }
  },
}

describe.skipIf('unavailable' in server)('mysql() over a client of', () => {
  if ('unavailable' in server) return
  for (const [index, [library, open]] of Object.entries(clients).entries()) {
    describe(library, () => {
      const table = newTable()
      let opened: Opened
      beforeAll(async () => {
        opened = await open(server.url)
      })
      const subject = mysqlSubject(library, server.url, table)
      conformance(runnerFor(index), {
        ...subject,
        connect: () => mysql({ ...opened.place, table }),
        unprepared: (place) => {
          void (subject.unprepared as (place: string) => unknown)(place) // It is to be dropped in the end.
          return mysql({ ...opened.place, table: place })
        },
        async clientSurvivesClose() {
          await mysql({ ...opened.place, table }).close()
          await opened.ask()
          return true
        },
      })
      afterAll(() => opened.close())
    })
  }
})
