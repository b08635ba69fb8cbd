// npx tsx examples/quickstart-sqlite.ts
// Start it in two terminals at once: they share the file, and each tick runs in one of them.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Locker, Scheduler } from 'ticklock'
import { sqlite } from 'ticklock/sqlite'

// A file that all processes of this machine open. It is made at the first use.
const provider = sqlite(join(tmpdir(), 'ticklock-quickstart.sqlite'))

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
