// npm install @valkey/valkey-glide, then: npx tsx examples/adapters/client-redis-glide.ts
// Start it in two terminals at once: they share the store, and each tick runs in one of them.

import { GlideClient } from '@valkey/valkey-glide'
import { Scheduler } from 'ticklock'
import { fromGlide } from 'ticklock/clients'
import { redis } from 'ticklock/redis'

const { hostname, port } = new URL(process.env.REDIS_URL ?? 'redis://localhost:6379')
const client = await GlideClient.createClient({ addresses: [{ host: hostname, port: Number(port || 6379) }] })
const provider = redis(fromGlide(client))
const scheduler = new Scheduler({ provider })
scheduler.job({ name: 'example:client-redis-glide.ts', every: '1s', lockAtMostFor: '10s' }, ({ scheduledAt }) => {
  console.log(`tick ${scheduledAt.toISOString()}`)
})
await scheduler.start()
console.log('ready')

process.once('SIGTERM', async () => {
  await scheduler.stop() // leaves the app's own client open
  client.close()
})
