// npm install cron, then: npx tsx examples/adapters/cron.ts
// Start it in two terminals at once: they share the file, and each tick runs in one of them.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CronJob } from 'cron'
import { currentLock, Locker } from 'ticklock'
import { locked } from 'ticklock/cron'
import { sqlite } from 'ticklock/sqlite'

const provider = sqlite(process.env.TICKLOCK_FILE ?? join(tmpdir(), 'ticklock-adapters.sqlite'))
const locker = new Locker({ provider })

const job = CronJob.from({
  cronTime: '* * * * * *',
  onTick: locked({ locker, name: 'example:cron', lockAtMostFor: '10s' }, () => {
    console.log(`tick ${currentLock()?.tick?.toISOString()}`)
  }),
  waitForCompletion: true,
  start: true,
})
console.log('ready')

process.once('SIGTERM', async () => {
  await job.stop() // waits for the run under way
  await provider.close()
})
