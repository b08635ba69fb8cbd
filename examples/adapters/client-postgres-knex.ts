// npm install knex pg, then: npx tsx examples/adapters/client-postgres-knex.ts
// Start it in two terminals at once: they share the store, and each tick runs in one of them.
import createKnex from 'knex'
import { Scheduler } from 'ticklock'
import { fromKnex } from 'ticklock/clients'
import { postgres } from 'ticklock/postgres'

const connection = process.env.POSTGRES_URL ?? 'postgres://localhost/postgres'
const knex = createKnex({ client: 'pg', connection })
const provider = postgres(fromKnex(knex))
await provider.setup()
const scheduler = new Scheduler({ provider })
scheduler.job({ name: 'example:client-postgres-knex.ts', every: '1s', lockAtMostFor: '10s' }, ({ scheduledAt }) => {
  console.log(`tick ${scheduledAt.toISOString()}`)
})
await scheduler.start()
console.log('ready')

process.once('SIGTERM', async () => {
  await scheduler.stop() // leaves the app's own client open
  await knex.destroy()
})
