// npx tsx examples/quickstart-http.ts
// With LOCKS_URL=http://127.0.0.1:7420 it uses your own "ticklock serve"; without, it starts a server of its own.
import { setTimeout as sleep } from 'node:timers/promises'
import { Locker, Scheduler } from 'ticklock'
import { http } from 'ticklock/http'
import { memory } from 'ticklock/memory'
import { serve } from 'ticklock/serve'

// The server. In production "ticklock serve" runs it over PostgreSQL or another store.
const url = process.env.LOCKS_URL
const server = url === undefined ? await serve({ provider: memory(), listen: 0 }) : undefined

// A node: it knows the URL of the server, and needs no driver.
const provider = http(url ?? server?.url ?? '')

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

// Waits for what still runs, and closes the provider.
await scheduler.stop()
await server?.close()
