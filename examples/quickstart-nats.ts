// NATS_URL=nats://localhost:4222 npx tsx examples/quickstart-nats.ts
// Start it in two terminals at once: they share the bucket, and each tick runs in one of them.
import { setTimeout as sleep } from 'node:timers/promises'
import { Locker, Scheduler } from 'ticklock'
import { nats } from 'ticklock/nats'

// npm install ticklock @nats-io/kv @nats-io/transport-node
const provider = nats(process.env.NATS_URL ?? 'nats://localhost:4222')
// Creates the bucket, unless it exists.
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

// Waits for what still runs.
await scheduler.stop()
await provider.close()
