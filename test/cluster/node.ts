// One node of a cluster under test: node.ts <kind of store> <url> <label> <witness file> <name of the cluster>
import { appendFileSync, fsyncSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Scheduler } from 'ticklock'
import { clusterJobs } from './jobs.ts'
import { openStore } from './stores.ts'

const [kind = '', url = '', label = '', witness = '', cluster = ''] = process.argv.slice(2)
const provider = await openStore(kind, url)
await provider.setup?.()
const scheduler = new Scheduler({ provider, label, logger: false })
const file = openSync(witness, 'a')

for (const { name, takes, ...options } of clusterJobs) {
  scheduler.job({ name: `${cluster}:${name}`, ...options }, async ({ scheduledAt, fencingToken, signal }) => {
    const note = (what: string): void => {
      appendFileSync(file, `${JSON.stringify({ what, job: name, tick: +scheduledAt, node: label, fencingToken })}\n`)
      fsyncSync(file)
    }
    note('begin')
    if (takes > 0) await sleep(takes, undefined, { signal })
    note('end')
  })
}

scheduler.onAny((event, details) => process.send?.({ event, details: { ...details, error: undefined } }))
process.on('message', async () => {
  await scheduler.stop({ graceFor: '5s' })
  process.disconnect()
})
await scheduler.start()
process.send?.({ event: 'ready' })
