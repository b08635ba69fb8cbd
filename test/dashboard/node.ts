/* One node of a cluster that is looked at: node.ts <SQLite file> <label> [<token>: serves the page]. Says `ready <url>` on its standard output. */
import { Scheduler } from 'ticklock'
import { serveDashboard } from 'ticklock/dashboard'
import { recordHistory } from 'ticklock/history'
import { prometheus } from 'ticklock/prometheus'
import { sqlite } from 'ticklock/sqlite'
import { awkwardJobFor, jobsFor } from './jobs.ts'

const [, , file = '', label = '', token, goneAfter = '3s'] = process.argv

const provider = sqlite(file)
const scheduler = new Scheduler({ provider, label, logger: false, defaults: { lockAtMostFor: '20s', keepAlive: true } })
recordHistory(scheduler, { skips: 'all', writeEvery: '200ms', heartbeatEvery: '1s' })
jobsFor(scheduler)
if (process.env.AWKWARD_JOB !== 'no') awkwardJobFor(scheduler)
await scheduler.start()
if (token === undefined) console.log('ready')
else {
  const metrics = prometheus()
  metrics.watch(scheduler)
  const server = await serveDashboard({
    schedulers: scheduler,
    listen: 0,
    token,
    metrics,
    goneAfter,
    refreshEvery: '200ms',
  })
  console.log(`ready ${server.url}`)
  process.once('SIGTERM', () => server.close())
}
process.once('SIGTERM', () => scheduler.stop({ graceFor: 0 }))
