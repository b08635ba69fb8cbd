// npm install node-cron, then: npx tsx examples/adapters/node-cron-coordinator.ts
// Start it in two terminals at once: they share the file, and each tick runs in one of them.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { schedule, setRunCoordinator } from 'node-cron'
import { Locker } from 'ticklock'
import { ticklockCoordinator } from 'ticklock/node-cron'
import { sqlite } from 'ticklock/sqlite'

const provider = sqlite(process.env.TICKLOCK_FILE ?? join(tmpdir(), 'ticklock-adapters.sqlite'))
setRunCoordinator(ticklockCoordinator({ locker: new Locker({ provider }) }))

const task = schedule('* * * * * *', ({ date }) => console.log(`tick ${date.toISOString()}`), {
  name: 'example:coordinator',
  distributed: true,
})
console.log('ready')

process.once('SIGTERM', async () => {
  await task.destroy()
  await provider.close()
})
