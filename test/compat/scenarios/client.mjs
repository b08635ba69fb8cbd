// Two of these run side by side on one store. Each has a client of LIBRARY, which is installed as PACKAGE, and a scheduler over it that prints the ticks
// that it runs.
import { Scheduler } from 'ticklock'
import * as clients from 'ticklock/clients'
import { mongodb } from 'ticklock/mongodb'
import { mysql } from 'ticklock/mysql'
import { postgres } from 'ticklock/postgres'
import { redis } from 'ticklock/redis'

const { LIBRARY, PACKAGE, POSTGRES_URL, MYSQL_URL, MONGODB_URL, REDIS_URL } = process.env
const table = `compat_${PACKAGE.replace(/\W/g, '_')}`

/** Each returns a provider and what closes the client. */
const open = {
  async pg() {
    const { default: pg } = await import(PACKAGE)
    const pool = new pg.Pool({ connectionString: POSTGRES_URL, max: 2 })
    return [postgres({ pool, table }), () => pool.end()]
  },
  async postgres() {
    const { default: connect } = await import(PACKAGE)
    const sql = connect(POSTGRES_URL, { max: 2, onnotice: () => {} })
    return [postgres({ ...clients.fromPostgresJs(sql), table }), () => sql.end()]
  },
  async knex() {
    const { default: createKnex } = await import(PACKAGE)
    const knex = createKnex({ client: 'pg', connection: POSTGRES_URL, pool: { min: 0, max: 2 } })
    return [postgres({ ...clients.fromKnex(knex), table }), () => knex.destroy()]
  },
  async kysely() {
    const { Kysely, PostgresDialect } = await import(PACKAGE)
    const { default: pg } = await import('pg')
    const db = new Kysely({
      dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: POSTGRES_URL, max: 2 }) }),
    })
    return [postgres({ ...clients.fromKysely(db), table }), () => db.destroy()]
  },
  async 'drizzle-orm'() {
    const { drizzle } = await import(`${PACKAGE}/node-postgres`)
    const { default: pg } = await import('pg')
    const pool = new pg.Pool({ connectionString: POSTGRES_URL, max: 2 })
    return [postgres({ ...clients.fromDrizzle(drizzle(pool)), table }), () => pool.end()]
  },
  async typeorm() {
    const { DataSource } = await import(PACKAGE)
    const db = await new DataSource({ type: 'postgres', url: POSTGRES_URL, poolSize: 2 }).initialize()
    return [postgres({ ...clients.fromTypeOrm(db), table }), () => db.destroy()]
  },
  async redis() {
    const { createClient } = await import(PACKAGE)
    const client = createClient({ url: REDIS_URL })
    await client.connect()
    return [redis({ ...clients.fromNodeRedis(client), prefix: `${table}:` }), () => client.quit()]
  },
  async ioredis() {
    const { default: Redis } = await import(PACKAGE)
    const client = new Redis(REDIS_URL)
    return [redis({ client, prefix: `${table}:` }), () => client.quit()]
  },
  async '@valkey/valkey-glide'() {
    const { GlideClient } = await import(PACKAGE)
    const { hostname, port } = new URL(REDIS_URL)
    const client = await GlideClient.createClient({ addresses: [{ host: hostname, port: Number(port) }] })
    return [redis({ ...clients.fromGlide(client), prefix: `${table}:` }), () => client.close()]
  },
  async mongodb() {
    const { MongoClient } = await import(PACKAGE)
    const client = await new MongoClient(MONGODB_URL).connect()
    return [mongodb({ client, database: 'compat' }), () => client.close()]
  },
  async mysql2() {
    const { createPool } = await import(`${PACKAGE}/promise`)
    const pool = createPool({ uri: MYSQL_URL, connectionLimit: 2 })
    return [mysql({ pool, table }), () => pool.end()]
  },
}

const [provider, close] = await open[LIBRARY]()
await provider.setup?.()
const scheduler = new Scheduler({ provider })
scheduler.job({ name: LIBRARY, every: '250ms', lockAtMostFor: '10s' }, ({ scheduledAt }) => {
  console.log(`tick ${scheduledAt.toISOString()}`)
})
await scheduler.start()
console.log('ready')
process.once('SIGTERM', async () => {
  await scheduler.stop()
  await close()
})
