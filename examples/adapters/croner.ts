// npm install croner, then: npx tsx examples/adapters/croner.ts
// Start it in two terminals at once: they share the file, and each tick runs in one of them.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cron } from 'croner'
import { currentLock, Locker } from 'ticklock'
import { locked } from 'ticklock/croner'
import { sqlite } from 'ticklock/sqlite'

const provider = sqlite(process.env.TICKLOCK_FILE ?? join(tmpdir(), 'ticklock-adapters.sqlite'))
const locker = new Locker({ provider })

const job = new Cron(
  '* * * * * *',
  { catch: (error) => console.error(error) },
  locked({ locker, name: 'example:croner', lockAtMostFor: '10s' }, () => {
    console.log(`tick ${currentLock()?.tick?.toISOString()}`)
  }),
)
console.log('ready')

process.once('SIGTERM', () => job.stop())
