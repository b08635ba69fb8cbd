// npm install toad-scheduler, then: npx tsx examples/adapters/toad-scheduler.ts
// Start it in two terminals at once: they share the file, and each tick runs in one of them.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { currentLock, Locker } from 'ticklock'
import { locked } from 'ticklock/locked'
import { sqlite } from 'ticklock/sqlite'
import { AsyncTask, CronJob, SimpleIntervalJob, ToadScheduler } from 'toad-scheduler'

const provider = sqlite(process.env.TICKLOCK_FILE ?? join(tmpdir(), 'ticklock-adapters.sqlite'))
const locker = new Locker({ provider })
const scheduler = new ToadScheduler()
const tick = (of: string) => (): void => console.log(`tick ${of} ${currentLock()?.tick?.toISOString()}`)

// toad-scheduler tells its tasks nothing of their schedule, so the lock is told the same.
const byPattern = locked(
  { locker, name: 'example:toad', cron: '* * * * * *', lockAtMostFor: '10s' },
  tick('by pattern'),
)
const byInterval = locked(
  { locker, name: 'example:toad-interval', every: '2s', lockAtMostFor: '10s' },
  tick('in its window'),
)
scheduler.addCronJob(new CronJob({ cronExpression: '* * * * * *' }, new AsyncTask('by-pattern', byPattern)))
scheduler.addSimpleIntervalJob(new SimpleIntervalJob({ seconds: 2 }, new AsyncTask('by-interval', byInterval)))
console.log('ready')

process.once('SIGTERM', () => scheduler.stop())
