// One node of a cluster under chaos: node.ts <settings as JSON>
import { setTimeout as sleep } from 'node:timers/promises'
import { Scheduler } from 'ticklock'
import { chaosJobs, LEDGER } from '../jobs.ts'
import { completeInLedger, openLedger } from '../ledger.ts'
import { machineTime, WitnessFile } from '../witness-file.ts'
import { breaks } from './breaks.ts'
import { watchEvents } from './events.ts'
import { eatMemory } from './memory.ts'
import { openStore } from './open-store.ts'
import type { ClockReading, NodeSettings, Order } from './settings.ts'
import { watchStalls } from './stalls.ts'
import { witnessed } from './witnessed-provider.ts'

const settings = JSON.parse(process.argv[2] ?? '') as NodeSettings
const { life, folder, broken } = settings
const witness = new WitnessFile(folder, life)
witness.write({ what: 'up', wall: Date.now(), pid: process.pid })
watchStalls(witness)

const store = await openStore(settings)
const tampered = breaks[broken ?? 'none']?.(store.provider) ?? store.provider
const provider = witnessed(tampered, witness)
const ledger = await openLedger(settings.kind, settings.url)
const scheduler = new Scheduler({ provider, label: life, logger: false })

for (const { options, takes } of chaosJobs) {
  scheduler.job(options, async ({ name: job, scheduledAt, fencingToken: token = 0, lock }) => {
    const tick = scheduledAt.getTime()
    witness.write({ what: 'begin', job, tick, token, kind: kindOf(job), until: machineTime() + (lock?.remaining ?? 0) })
    const ms = takes(tick)
    if (ms > 0) await sleep(ms)
    if (job === LEDGER && ledger && lock) {
      witness.write({ what: 'releasing', job, owner: lock.owner, tick })
      await completeInLedger(ledger, lock, tick)
      witness.write({ what: 'completed', job, tick, token })
    }
    witness.write({ what: 'end', job, tick, token })
  })
}
const kindOf = watchEvents(scheduler, witness)

const orders: Readonly<Record<Order['order'], (ms: number) => unknown>> = {
  stop: async () => {
    witness.write({ what: 'stopping' })
    await scheduler.stop({ graceFor: '5s' })
    await Promise.all([store.close(), ledger?.close()])
    process.disconnect?.()
  },
  'fill-pool': (ms) => store.fillPool?.(ms),
  'eat-memory': () => eatMemory(),
}
process.on('message', ({ order, ms = 0 }: Order) => void orders[order](ms))
process.on('disconnect', () => process.exit(0)) // Whoever directed the chaos is gone.

await setUp()
await scheduler.start()
witness.write({ what: 'ready' })
process.send?.({ wall: Date.now(), monotonic: machineTime() } satisfies ClockReading)

/** The store may be down just now. */
async function setUp(): Promise<void> {
  for (;;) {
    try {
      await provider.setup?.()
      return await ledger?.prepare()
    } catch {
      await sleep(200)
    }
  }
}
