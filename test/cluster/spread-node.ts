// One node that shares jobs with others: spread-node.ts <url of PostgreSQL> <label> <prefix of the jobs> <count> <ms between ticks>
import { Scheduler } from 'ticklock'
import { postgres } from 'ticklock/postgres'

const [url = '', label = '', prefix = '', count = '0', every = '0'] = process.argv.slice(2)
const provider = postgres(url)
await provider.setup()
const scheduler = new Scheduler({ provider, label, logger: false, defaults: { lockAtMostFor: '1m' } })
for (let job = 0; job < Number(count); job++) {
  scheduler.job({ name: `${prefix}:${job}`, every: Number(every) }, ({ name, scheduledAt }) => {
    process.send?.({ tick: +scheduledAt, job: name })
  })
}
process.on('message', async () => {
  await scheduler.stop({ graceFor: '10s' })
  process.disconnect()
})
await scheduler.start()
process.send?.('ready')
