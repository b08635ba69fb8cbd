// npm install postgres, then: npx tsx examples/adapters/client-postgres-porsager.ts
// Start it in two terminals at once: they share the store, and each tick runs in one of them.
import createSql from 'postgres'
import { Scheduler } from 'ticklock'
import { fromPostgresJs } from 'ticklock/clients'
import { postgres } from 'ticklock/postgres'

const sql = createSql(process.env.POSTGRES_URL ?? 'postgres://localhost/postgres', { onnotice: () => {} })
const provider = postgres(fromPostgresJs(sql))
await provider.setup()
const scheduler = new Scheduler({ provider })
scheduler.job({ name: 'example:client-postgres-porsager.ts', every: '1s', lockAtMostFor: '10s' }, ({ scheduledAt }) => {
  console.log(`tick ${scheduledAt.toISOString()}`)
})
await scheduler.start()
console.log('ready')

process.once('SIGTERM', async () => {
  await scheduler.stop() // leaves the app's own client open
  await sql.end()
})
