// npm install node-schedule, then: npx tsx examples/adapters/node-schedule.ts
// Start it in two terminals at once: they share the file, and each tick runs in one of them.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import nodeSchedule from 'node-schedule'
import { Locker } from 'ticklock'
import { locked } from 'ticklock/node-schedule'
import { sqlite } from 'ticklock/sqlite'

const provider = sqlite(process.env.TICKLOCK_FILE ?? join(tmpdir(), 'ticklock-adapters.sqlite'))
const locker = new Locker({ provider })

const job = nodeSchedule.scheduleJob(
  '* * * * * *',
  locked({ locker, name: 'example:node-schedule', lockAtMostFor: '10s' }, (fireDate: Date) => {
    console.log(`tick ${fireDate.toISOString()}`)
  }),
)
job.on('error', (error) => console.error(error)) // or a store that is down ends the process
console.log('ready')

process.once('SIGTERM', () => nodeSchedule.gracefulShutdown())
