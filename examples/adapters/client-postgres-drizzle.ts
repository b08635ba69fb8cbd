// npm install drizzle-orm pg, then: npx tsx examples/adapters/client-postgres-drizzle.ts
// Start it in two terminals at once: they share the store, and each tick runs in one of them.
import { drizzle } from 'drizzle-orm/node-postgres'
import { Scheduler } from 'ticklock'
import { fromDrizzle } from 'ticklock/clients'
import { postgres } from 'ticklock/postgres'

const db = drizzle(process.env.POSTGRES_URL ?? 'postgres://localhost/postgres')
const provider = postgres(fromDrizzle(db))
await provider.setup()
const scheduler = new Scheduler({ provider })
scheduler.job({ name: 'example:client-postgres-drizzle.ts', every: '1s', lockAtMostFor: '10s' }, ({ scheduledAt }) => {
  console.log(`tick ${scheduledAt.toISOString()}`)
})
await scheduler.start()
console.log('ready')

process.once('SIGTERM', async () => {
  await scheduler.stop() // leaves the app's own client open
  await db.$client.end()
})
