// npm install ioredis, then: npx tsx examples/quickstart-redis.ts
// Start it in two terminals at once: they share the server, and each tick runs in one of them.
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { Locker, Scheduler } from 'ticklock'
import { redis } from 'ticklock/redis'

// The app's own client; nothing has to be set up in Redis.
const client = new Redis(process.env.REDIS_URL ?? 'redis://localhost:6379')
const provider = redis(client)
await provider.setup?.()

// A lock by itself.
const locker = new Locker({ provider })
const lock = await locker.tryObtain('quickstart-report', '10s')
console.log(lock ? `obtained, ${Math.round(await lock.ttl())} ms left` : 'another process has the lock')
await lock?.release()

// A job of a cluster: every node registers it, each tick runs on one.
const scheduler = new Scheduler({ provider, defaults: { lockAtMostFor: '10s' } })
scheduler.job({ name: 'quickstart-hello', every: '1s' }, ({ scheduledAt, fencingToken }) => {
  console.log(`tick ${scheduledAt.toISOString()} runs here, fencing token ${fencingToken}`)
})
scheduler.on('skipped', ({ scheduledAt, reason }) => {
  console.log(`tick ${scheduledAt?.toISOString()} is skipped here: ${reason}`)
})
await scheduler.start()
await sleep(3_500)

// Waits for what still runs. The client is the app's, so the app closes it.
await scheduler.stop()
await client.quit()
