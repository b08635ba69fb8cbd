// npm install kysely pg, then: npx tsx examples/adapters/client-postgres-kysely.ts
// Start it in two terminals at once: they share the store, and each tick runs in one of them.
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { Scheduler } from 'ticklock'
import { fromKysely } from 'ticklock/clients'
import { postgres } from 'ticklock/postgres'

const connectionString = process.env.POSTGRES_URL ?? 'postgres://localhost/postgres'
const db = new Kysely<object>({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString }) }) })
const provider = postgres(fromKysely(db))
await provider.setup()
const scheduler = new Scheduler({ provider })
scheduler.job({ name: 'example:client-postgres-kysely.ts', every: '1s', lockAtMostFor: '10s' }, ({ scheduledAt }) => {
  console.log(`tick ${scheduledAt.toISOString()}`)
})
await scheduler.start()
console.log('ready')

process.once('SIGTERM', async () => {
  await scheduler.stop() // leaves the app's own client open
  await db.destroy()
})
