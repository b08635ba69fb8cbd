// One node of the demo's cluster: a process of its own that shares nothing with the others but the SQLite file.
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type EventName, type JobEvent, Scheduler } from 'ticklock'
import { sqlite } from 'ticklock/sqlite'
import { jobs } from './jobs.ts'
import type { Report } from './report.ts'

const [label = 'node', store = '', witness = ''] = process.argv.slice(2)

const provider = sqlite(store)
await provider.setup?.()
const scheduler = new Scheduler({ provider, label, logger: false })

for (const { name, takes, ...options } of jobs) {
  scheduler.job({ name, ...options, keepAlive: true }, async ({ scheduledAt, fencingToken, signal }) => {
    // The witness of what really ran stands outside the store: a file that every node appends to.
    const note = (what: string): void =>
      appendFileSync(witness, `${JSON.stringify({ what, job: name, tick: +scheduledAt, node: label, fencingToken })}\n`)
    note('begin')
    if (takes > 0) await sleep(takes, undefined, { signal })
    note('end')
  })
}

const tell = (report: Report): void => void process.send?.(report)
const told: readonly EventName[] = ['started', 'succeeded', 'failed', 'skipped', 'missed', 'lost', 'store-error']
scheduler.onAny((event, details) => {
  if (!told.includes(event)) return
  const { job, scheduledAt, kind, reason, heldBy } = details as Partial<JobEvent> & { reason?: string; heldBy?: string }
  tell({ event, node: label, job, tick: scheduledAt?.getTime(), kind, reason, heldBy })
})

process.on('message', async () => {
  await scheduler.stop({ graceFor: '5s' })
  process.disconnect()
})
await scheduler.start()
tell({ event: 'ready', node: label })
