// npm install typeorm pg, then: npx tsx examples/adapters/client-postgres-typeorm.ts
// Start it in two terminals at once: they share the store, and each tick runs in one of them.
import { Scheduler } from 'ticklock'
import { fromTypeOrm } from 'ticklock/clients'
import { postgres } from 'ticklock/postgres'
import { DataSource } from 'typeorm'

const url = process.env.POSTGRES_URL ?? 'postgres://localhost/postgres'
const dataSource = await new DataSource({ type: 'postgres', url }).initialize()
const provider = postgres(fromTypeOrm(dataSource))
await provider.setup()
const scheduler = new Scheduler({ provider })
scheduler.job({ name: 'example:client-postgres-typeorm.ts', every: '1s', lockAtMostFor: '10s' }, ({ scheduledAt }) => {
  console.log(`tick ${scheduledAt.toISOString()}`)
})
await scheduler.start()
console.log('ready')

process.once('SIGTERM', async () => {
  await scheduler.stop() // leaves the app's own client open
  await dataSource.destroy()
})
