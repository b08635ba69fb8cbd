// npx tsx examples/quickstart-mysql.ts
// Start it in two terminals at once: they share the table, and each tick runs in one of them. MariaDB will do as well as MySQL.
import { setTimeout as sleep } from 'node:timers/promises'
import { createPool } from 'mysql2/promise'
import { Locker, Scheduler } from 'ticklock'
import { mysql } from 'ticklock/mysql'

const pool = createPool(process.env.MYSQL_URL ?? 'mysql://root@localhost/test')
const provider = mysql(pool)
// Makes the table `ticklock` when it is missing. A migration can do so instead: mysqlSetup() gives the statement.
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

// Waits for what still runs, and closes the provider; the pool is yours.
await scheduler.stop()
await pool.end()
