// npx tsx examples/quickstart-memory.ts
// One process, and no store: for tests, and for an app that may get a store later.
import { setTimeout as sleep } from 'node:timers/promises'
import { Locker, Scheduler } from 'ticklock'
import { memory } from 'ticklock/memory'

// Who shares the provider shares the locks.
const provider = memory()

// A lock by itself.
const locker = new Locker({ provider })
const lock = await locker.obtain('quickstart-report', '10s')
console.log(`obtained, ${Math.round(await lock.ttl())} ms left`)
console.log('obtained once more:', (await locker.tryObtain('quickstart-report', '10s')) !== undefined)
await lock.release()

// Two schedulers stand for two nodes of a cluster: each tick runs on one of them.
function nodeOf(label: string): Scheduler {
  const scheduler = new Scheduler({ provider, label, defaults: { lockAtMostFor: '10s' } })
  scheduler.job({ name: 'quickstart-hello', every: '1s' }, ({ scheduledAt, fencingToken }) => {
    console.log(`tick ${scheduledAt.toISOString()} runs on node ${label}, fencing token ${fencingToken}`)
  })
  return scheduler
}
const nodes = [nodeOf('a'), nodeOf('b')]
await Promise.all(nodes.map((node) => node.start()))
await sleep(3_500)

// Waits for what still runs, and closes the provider.
await Promise.all(nodes.map((node) => node.stop()))
