// KUBERNETES_URL=kubeconfig: npx tsx examples/quickstart-kubernetes.ts
// Start it in two terminals at once: they share the cluster, and each tick runs in one of them.
import { setTimeout as sleep } from 'node:timers/promises'
import { Locker, Scheduler } from 'ticklock'
import { kubernetes } from 'ticklock/kubernetes'

// In a pod no URL is needed, only the rights of examples/kubernetes. With a kubeconfig, install @kubernetes/client-node.
const provider = kubernetes(process.env.KUBERNETES_URL ?? 'kubernetes:')

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
