/* The libraries whose clients postgres() takes through ticklock/clients, each opened as its users do, with the settings that would trip up SQL. */
import { PGlite } from '@electric-sql/pglite'
import { PrismaPg } from '@prisma/adapter-pg'
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { drizzle as drizzleJs } from 'drizzle-orm/postgres-js'
import createKnex from 'knex'
import { CamelCasePlugin, CompiledQuery, Kysely, PostgresDialect } from 'kysely'
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
  /** A query of the library's own. */
  run(sql: string): PromiseLike<unknown>
  close(): Promise<unknown>
}

const ODD = '-c timezone=Asia/Kolkata -c datestyle=SQL,DMY'

export const postgresClients: Readonly<
  Record<string, (url: string, max?: number) => OpenedClient | Promise<OpenedClient>>
> = {
  postgres: (url, max = 4) => {
    const sql = postgresJs(url, { max, connection: { TimeZone: 'Asia/Kolkata' }, onnotice: () => {} })
    return { place: fromPostgresJs(sql), run: (text) => sql.unsafe(text), close: () => sql.end() }
  },
  'postgres with renamed columns, bigints and no types fetched': (url, max = 4) => {
    const types = { bigint: postgresJs.BigInt }
    const sql = postgresJs(url, { max, transform: postgresJs.camel, types, fetch_types: false, onnotice: () => {} })
    return { place: fromPostgresJs(sql), run: (text) => sql.unsafe(text), close: () => sql.end() }
  },
  Knex: (url, max = 4) => {
    const pool = { min: 0, max }
    const knex = createKnex({ client: 'pg', connection: { connectionString: url, options: ODD }, pool })
    return { place: fromKnex(knex), run: (text) => knex.raw(text), close: () => knex.destroy() }
  },
  'Kysely with a plugin that renames columns': (url, max = 4) => {
    const dialect = new PostgresDialect({ pool: oddPool(url, max) })
    const db = new Kysely<Record<string, never>>({ dialect, plugins: [new CamelCasePlugin()] })
    return { place: fromKysely(db), run: (text) => db.executeQuery(CompiledQuery.raw(text)), close: () => db.destroy() }
  },
  'Drizzle over a pool of pg': (url, max = 4) => {
    const pool = oddPool(url, max)
    const db = drizzlePg(pool)
    return { place: fromDrizzle(db), run: (text) => db.execute(text), close: () => pool.end() }
  },
  'Drizzle over one connection of pg': async (url) => {
    const client = new pg.Client({ connectionString: url, options: ODD })
    await client.connect()
    const db = drizzlePg(client)
    return { place: fromDrizzle(db), run: (text) => db.execute(text), close: () => client.end() }
  },
  'Drizzle over postgres': (url, max = 4) => {
    const sql = postgresJs(url, { max, onnotice: () => {} })
    const db = drizzleJs(sql)
    return { place: fromDrizzle(db), run: (text) => db.execute(text), close: () => sql.end() }
  },
  TypeORM: async (url, max = 4) => {
    const source = await new DataSource({ type: 'postgres', url, extra: { max, options: ODD } }).initialize()
    return { place: fromTypeOrm(source), run: (text) => source.query(text), close: () => source.destroy() }
  },
  Prisma: (url, max = 4) => {
    const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max }) })
    return {
      place: fromPrisma(prisma),
      run: (text) => prisma.$executeRawUnsafe(text),
      close: () => prisma.$disconnect(),
    }
  },
}

/** PGlite lives in this process: there is nothing to be compared with on a server. */
export async function drizzleOverPglite(): Promise<OpenedClient> {
  const client = await PGlite.create()
  const db = drizzlePglite(client)
  return { place: fromDrizzle(db), run: (text) => db.execute(text), close: () => client.close() }
}
