// MONGODB_URL=mongodb://localhost:27017/test npx tsx examples/quickstart-mongodb.ts
// Start it on two machines at once: they share the collection, and each tick runs on one of them.
import { setTimeout as sleep } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { Locker, Scheduler } from 'ticklock'
import { mongodb } from 'ticklock/mongodb'

const client = new MongoClient(process.env.MONGODB_URL ?? 'mongodb://localhost:27017/test')

// Your own client. The collection is called ticklock; setup() makes it.
const provider = mongodb(client)
await provider.setup?.()

// A lock by itself.
const locker = new Locker({ provider })
const lock = await locker.tryObtain('quickstart-report', '10s')
console.log(lock ? `obtained, ${Math.round(await lock.ttl())} ms left` : 'another node has the lock')
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

// Waits for what still runs. The client is yours: the provider leaves it open.
await scheduler.stop()
await client.close()
