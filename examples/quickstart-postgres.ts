// npm install pg, then: npx tsx examples/quickstart-postgres.ts
// Start it in two terminals at once: they share the table, and each tick runs in one of them.
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Locker, Scheduler } from 'ticklock'
import { postgres } from 'ticklock/postgres'

// The app's own pool. The table is made unless it is there; any number of nodes may do so at once.
const pool = new pg.Pool({ connectionString: process.env.POSTGRES_URL ?? 'postgres://localhost/postgres' })
const provider = postgres(pool)
await provider.setup()

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

// Waits for what still runs. The pool is the app's, so the app ends it.
await scheduler.stop()
await pool.end()
