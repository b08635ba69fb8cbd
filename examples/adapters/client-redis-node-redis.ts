// npm install redis, then: npx tsx examples/adapters/client-redis-node-redis.ts
// Start it in two terminals at once: they share the store, and each tick runs in one of them.
import { createClient } from 'redis'
import { Scheduler } from 'ticklock'
import { fromNodeRedis } from 'ticklock/clients'
import { redis } from 'ticklock/redis'

const url = process.env.REDIS_URL ?? 'redis://localhost:6379'
const client = createClient({ url, disableOfflineQueue: true })
client.on('error', (error) => console.error(error))
await client.connect()
const provider = redis(fromNodeRedis(client))
const scheduler = new Scheduler({ provider })
scheduler.job({ name: 'example:client-redis-node-redis.ts', every: '1s', lockAtMostFor: '10s' }, ({ scheduledAt }) => {
  console.log(`tick ${scheduledAt.toISOString()}`)
})
await scheduler.start()
console.log('ready')

process.once('SIGTERM', async () => {
  await scheduler.stop() // leaves the app's own client open
  await client.close()
})
