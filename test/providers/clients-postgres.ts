/* The libraries whose clients postgres() takes through ticklock/clients, each opened as its users do, with the settings that would trip up SQL. */
import { PGlite } from '@electric-sql/pglite'
import { PrismaPg } from '@prisma/adapter-pg'
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { drizzle as drizzleJs } from 'drizzle-orm/postgres-js'
import createKnex from 'knex'
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import postgresJs from 'postgres'
import { DataSource } from 'typeorm'
import { PrismaClient } from '../../examples/adapters/prisma/client.ts'
import {
  fromDrizzle,
  fromKnex,
  fromKysely,
  fromPostgresJs,
  fromPrisma,
  fromTypeOrm,
  type SqlPlace,
} from '../../src/clients/index.ts'
import { oddPool } from './postgres-subject.ts'

export interface OpenedClient {
  readonly place: SqlPlace
  /** A query of the library's own, to see whether it still works. */
  ask(): PromiseLike<unknown>
  close(): Promise<unknown>
}

const ODD = '-c timezone=Asia/Kolkata -c datestyle=SQL,DMY'

export const postgresClients: Readonly<Record<string, (url: string) => OpenedClient | Promise<OpenedClient>>> = {
  postgres: (url) => {
    const sql = postgresJs(url, { max: 4, connection: { TimeZone: 'Asia/Kolkata' }, onnotice: () => {} })
    return { place: fromPostgresJs(sql), ask: () => sql`SELECT 1`, close: () => sql.end() }
  },
  'postgres with renamed columns, bigints and no types fetched': (url) => {
    const types = { bigint: postgresJs.BigInt }
    const sql = postgresJs(url, { max: 4, transform: postgresJs.camel, types, fetch_types: false, onnotice: () => {} })
    return { place: fromPostgresJs(sql), ask: () => sql`SELECT 1`, close: () => sql.end() }
  },
  Knex: (url) => {
    const pool = { min: 0, max: 4 }
    const knex = createKnex({ client: 'pg', connection: { connectionString: url, options: ODD }, pool })
    return { place: fromKnex(knex), ask: () => knex.raw('SELECT ?::int', [1]), close: () => knex.destroy() }
  },
  'Kysely with a plugin that renames columns': (url) => {
    const dialect = new PostgresDialect({ pool: oddPool(url) })
    const db = new Kysely<Record<string, never>>({ dialect, plugins: [new CamelCasePlugin()] })
    return { place: fromKysely(db), ask: () => db.introspection.getSchemas(), close: () => db.destroy() }
  },
  'Drizzle over a pool of pg': (url) => {
    const pool = oddPool(url)
    const db = drizzlePg(pool)
    return { place: fromDrizzle(db), ask: () => db.execute('SELECT 1'), close: () => pool.end() }
  },
  'Drizzle over one connection of pg': async (url) => {
    const client = new pg.Client({ connectionString: url, options: ODD })
    await client.connect()
    const db = drizzlePg(client)
    return { place: fromDrizzle(db), ask: () => db.execute('SELECT 1'), close: () => client.end() }
  },
  'Drizzle over postgres': (url) => {
    const sql = postgresJs(url, { max: 4, onnotice: () => {} })
    const db = drizzleJs(sql)
    return { place: fromDrizzle(db), ask: () => db.execute('SELECT 1'), close: () => sql.end() }
  },
  TypeORM: async (url) => {
    const source = await new DataSource({ type: 'postgres', url, extra: { max: 4, options: ODD } }).initialize()
    return { place: fromTypeOrm(source), ask: () => source.query('SELECT 1'), close: () => source.destroy() }
  },
  Prisma: (url) => {
    const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 4 }) })
    return {
      place: fromPrisma(prisma),
      ask: () => prisma.$queryRawUnsafe('SELECT 1'),
      close: () => prisma.$disconnect(),
    }
  },
}

/** PGlite lives in this process: there is nothing to be compared with on a server. */
export async function drizzleOverPglite(): Promise<OpenedClient> {
  const client = await PGlite.create()
  const db = drizzlePglite(client)
  return { place: fromDrizzle(db), ask: () => db.execute('SELECT 1'), close: () => client.close() }
}
